"""The emulator listens on this machine only and reaches nobody else."""

import os
import subprocess
import sys
import unittest
import urllib.request

from foreshard_native import loopback
from foreshard_testing import machine

from tests.support import FOLDER, Host

_ATTEMPTS = """
import socket
from foreshard_native import loopback
loopback.enforce()
def refused(action):
    try:
        action()
    except loopback.NotLoopback:
        return True
    return False
tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(
    refused(lambda: tcp.bind(("0.0.0.0", 0))), refused(lambda: tcp.bind(("", 0))),
    refused(lambda: tcp.connect(("192.0.2.1", 80))), refused(lambda: udp.sendto(b"x", ("192.0.2.1", 53))),
    refused(lambda: socket.getaddrinfo("example.com", 80)), refused(lambda: tcp.bind(("127.0.0.1", 0))),
    refused(lambda: socket.getaddrinfo("localhost", 80)), refused(lambda: udp.connect(("127.0.0.1", 9))),
)
"""


class Loopback(unittest.TestCase):
    """The hook, and a host under it."""

    def test_addresses(self):
        for host in ("127.0.0.1", "::1", "localhost", "127.8.0.1"):
            self.assertTrue(loopback.is_loopback(host), host)
        for host in ("0.0.0.0", "::", "", "10.0.0.1", "host"):
            self.assertFalse(loopback.is_loopback(host), host)

    def test_binding_connecting_and_resolving_elsewhere_is_refused(self):
        run = subprocess.run([sys.executable, "-c", _ATTEMPTS], cwd=FOLDER, capture_output=True, text=True, check=True)
        self.assertEqual(run.stdout.split(), ["True"] * 5 + ["False"] * 3)

    @unittest.skipUnless(os.path.exists("/proc/net/tcp"), "reads the kernel's table of sockets")
    def test_every_listening_socket_of_the_host_is_local(self):
        host = Host()
        self.addCleanup(host.stop)
        host.deploy("listening")
        host.invoke("listening", {})
        listening = machine.listening(host.process.pid)
        self.assertIn(("127.0.0.1", host.port), listening)
        self.assertEqual({address for address, _ in listening}, {"127.0.0.1"})

    def test_health(self):
        host = Host()
        self.addCleanup(host.stop)
        with urllib.request.urlopen(f"http://127.0.0.1:{host.port}/_foreshard/health", timeout=5) as answer:
            self.assertEqual(answer.read(), b'{"status": "ready", "ministack": "1.5.33"}')
        self.assertEqual(host.log(), "", "a host that does nothing wrong says nothing")


if __name__ == "__main__":
    unittest.main()
