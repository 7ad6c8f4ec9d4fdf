"""Nothing outlives the host: not after a signal, not after SIGKILL, and a recycled process id is left alone."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from foreshard_native.environment_record import EnvironmentRecord, start_of
from foreshard_native.process_table import boot_id, pids, read
from foreshard_testing.machine import contents, eventually, free_port, is_alive

from tests.support import START_LIMIT_S, Host, launch


def refused(call):
    """What the call answers, or the exception that it ends with."""
    try:
        return call()
    except Exception as failure:
        return failure


class Leftovers(unittest.TestCase):
    """Each test has a host of its own, in a directory that outlives it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="foreshard-left-")
        self.addCleanup(folder.cleanup)
        self.state_dir = folder.name

    def host_with_processes(self):
        """A host, and the processes of one environment: bootstrap, child, child in a session of its own."""
        host = Host(self.state_dir)
        self.addCleanup(host.stop)
        host.deploy("parent")
        found = host.invoke("parent", {"do": "children"})
        processes = [found["pid"], *found["children"]]
        self.assertTrue(all(map(is_alive, processes)))
        return host, processes

    def assert_gone(self, processes):
        eventually(lambda: not any(map(is_alive, processes)), 3, "the end of all processes of the environment")

    def test_signals_end_everything(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            host, processes = self.host_with_processes()
            self.assertEqual(host.stop(number), 0)
            self.assert_gone(processes)
            self.assertEqual(sorted(os.listdir(self.state_dir)), ["host.log"])

    def test_a_signal_while_an_execution_waits_for_a_token(self):
        host, processes = self.host_with_processes()
        definition = {"StartAt": "Park", "States": {"Park": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": True,
            "Parameters": {"FunctionName": "parent", "Payload": {"token.$": "$$.Task.Token"}},
        }}}  # fmt: skip
        host.start_execution("parked", definition)
        self.assertEqual(host.stop(), 0)
        self.assert_gone(processes)

    def test_a_signal_in_the_middle_of_a_direct_call(self):
        host, processes = self.host_with_processes()
        started, answers = os.path.join(self.state_dir, "started"), []
        event = {"do": "sleep", "seconds": 9, "started": started}
        host.deploy("long")
        calling = threading.Thread(target=lambda: answers.append(refused(lambda: host.invoke("long", event))))
        calling.start()
        processes.append(int(eventually(lambda: contents(started))))
        began = time.monotonic()
        self.assertEqual(host.stop(), 0)
        self.assertLess(time.monotonic() - began, 4)
        calling.join(5)
        self.assertEqual(len(answers), 1)
        self.assert_gone(processes)

    def test_after_sigkill_of_the_host_the_janitor_ends_them(self):
        host, processes = self.host_with_processes()
        host.stop(signal.SIGKILL)
        self.assert_gone(processes)

    def test_after_sigkill_of_both_the_next_start_ends_them(self):
        host, processes = self.host_with_processes()
        _bootstrap, *children = processes  # a bootstrap ends by itself, as soon as its Runtime API is gone
        janitors = [
            pid for pid in pids() if (one := read(pid)) and one.parent == host.process.pid and one.session == pid
        ]
        janitor = next(pid for pid in janitors if pid not in processes)
        os.kill(janitor, signal.SIGKILL)
        eventually(lambda: not is_alive(janitor))
        host.stop(signal.SIGKILL)
        self.assertTrue(all(map(is_alive, children)), "nobody was left who could have ended them")
        second = Host(self.state_dir)
        self.assert_gone(processes)
        self.assertIn("ended 1 environments that an earlier host left behind", second.log())
        second.stop()

    def test_a_second_host_in_the_same_directory_is_refused_and_harms_nobody(self):
        host, processes = self.host_with_processes()
        second = launch(self.state_dir, free_port())
        self.assertEqual(second.wait(START_LIMIT_S), 4)
        self.assertIn(f"is in use:\n  - by the host with process id {host.process.pid}", host.log())
        self.assertTrue(all(map(is_alive, processes)))
        host.stop()

    def test_a_taken_port_is_an_error_of_its_own(self):
        host = Host(self.state_dir)
        with tempfile.TemporaryDirectory() as other:
            self.assertEqual(launch(other, host.port).wait(START_LIMIT_S), 4)
            self.assertIn(f"port {host.port} cannot be opened", contents(os.path.join(other, "host.log")))
        host.stop()

    def test_host_json_names_the_process_that_listens(self):
        host = Host(self.state_dir)
        written = json.loads(contents(os.path.join(self.state_dir, "host.json")))
        expected = {"pid": host.process.pid, "port": host.port, "start_time": start_of(host.process.pid)}
        self.assertEqual(written, expected)
        host.stop()


class Record(unittest.TestCase):
    """Who is killed by what the file says."""

    def ended(self, **changes):
        """Whether a stranger dies for an entry that differs from the truth in `changes`."""
        stranger = subprocess.Popen(
            [sys.executable, "-ISE", "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
        )
        self.addCleanup(stranger.stdin.close)
        self.addCleanup(stranger.kill)
        with tempfile.TemporaryDirectory() as state_dir:
            entry = {
                "pid": stranger.pid,
                "start": start_of(stranger.pid),
                "marker": "m",
                "boot_id": boot_id(),
                **changes,
            }
            with open(os.path.join(state_dir, "environments.jsonl"), "w", encoding="utf-8") as record:
                record.write(json.dumps(entry) + '\n{"pid": 1, "sta')
            count = EnvironmentRecord(state_dir).end_all()
            self.assertEqual(os.listdir(state_dir), [])
        if count:
            stranger.wait(5)
        alive = is_alive(stranger.pid)
        stranger.kill()
        stranger.wait()
        return count == 1 and not alive

    def test_the_recorded_process_is_ended(self):
        self.assertTrue(self.ended())

    def test_a_recycled_id_is_not(self):
        self.assertFalse(self.ended(start="1"))

    def test_an_id_of_another_boot_is_not(self):
        self.assertFalse(self.ended(boot_id="another"))


if __name__ == "__main__":
    unittest.main()
