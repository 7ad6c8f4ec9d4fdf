"""MemorySize holds: who is killed, and what the caller hears."""

import unittest

from foreshard_native import process_table
from foreshard_testing.machine import is_alive

from tests.support import shared_host


@unittest.skipUnless(process_table.AVAILABLE, "memory is limited where there is /proc")
class MemoryLimit(unittest.TestCase):
    """A function of 128 MiB."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()
        cls.host.deploy("small", MemorySize=128)

    def test_below_the_limit_nobody_is_killed(self):
        self.assertIsNone(self.host.invoke("small", {"do": "allocate", "mebibytes": 90, "hold_s": 0.3}))

    def test_a_bootstrap_above_the_limit_dies_as_on_aws(self):
        before = self.host.invoke("small", {"do": "children"})
        failure = self.host.invoke("small", {"do": "allocate", "mebibytes": 400, "hold_s": 8})
        self.assertEqual(failure["errorType"], "Runtime.ExitError")
        self.assertRegex(failure["errorMessage"], r"^RequestId: \S+ Error: Runtime exited with error: signal: killed$")
        for pid in (before["pid"], *before["children"]):
            self.assertFalse(is_alive(pid), f"{pid} outlived its environment")

    def test_a_child_that_offers_itself_dies_first_and_the_bootstrap_goes_on(self):
        answer = self.host.invoke("small", {"do": "child_allocate", "mebibytes": 400})
        self.assertEqual(answer["status"], -9)
        self.assertEqual(self.host.invoke("small", {"do": "pid"})["pid"], answer["pid"])

    def test_memory_used_is_reported(self):
        self.host.deploy("reported", MemorySize=512)
        self.host.invoke("reported", {"do": "allocate", "mebibytes": 200, "hold_s": 0.4})
        logs = self.host.client("logs")
        reports = logs.filter_log_events(logGroupName="/aws/lambda/reported", filterPattern="REPORT")["events"]
        used = int(reports[0]["message"].split("Max Memory Used: ")[1].split()[0])
        self.assertTrue(200 <= used <= 230, used)

    def test_children_of_an_earlier_invocation_count(self):
        self.host.deploy("leaky", MemorySize=128)
        left = self.host.invoke("leaky", {"do": "leave_child", "mebibytes": 80})["pid"]
        self.assertTrue(is_alive(left))
        self.assertIsNone(self.host.invoke("leaky", {"do": "allocate", "mebibytes": 80, "hold_s": 0.3}))
        self.assertFalse(is_alive(left), "the child offered itself, and both together were too large")


if __name__ == "__main__":
    unittest.main()
