"""Provisioned concurrency is real: environments are there before the first invocation, and gone after Delete."""

import os
import signal
import threading
import time
import unittest

from botocore.exceptions import ClientError
from foreshard_native.process_table import pids, read
from foreshard_testing.machine import eventually

from tests.support import shared_host


class ProvisionedConcurrency(unittest.TestCase):
    """Each test has a function with version 1 behind the alias `live`."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()
        cls.client = cls.host.client("lambda")

    def deploy(self, name):
        self.host.deploy(name)
        self.client.publish_version(FunctionName=name)
        self.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    def put(self, name, count):
        return self.client.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=count
        )

    def ready(self, name, count):
        def reached():
            state = self.client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
            return state["Status"] == "READY" and state["AvailableProvisionedConcurrentExecutions"] == count

        eventually(reached, what=f"READY with {count}")

    def environments(self):
        """Process ids of all bootstraps: children of the host that lead a session, but for the janitor."""
        found = [
            one.pid for pid in pids() if (one := read(pid)) and one.parent == self.host.process.pid and not one.zombie
        ]
        return set(found) - {min(found)}

    def test_put_starts_environments_and_delete_ends_them(self):
        self.deploy("counted")
        before = self.environments()
        first = self.put("counted", 3)
        self.assertEqual((first["Status"], first["AvailableProvisionedConcurrentExecutions"]), ("IN_PROGRESS", 0))
        self.ready("counted", 3)
        started = self.environments() - before
        self.assertEqual(len(started), 3)
        served = self.host.invoke("counted:live", {"do": "pid"})
        self.assertIn(served["pid"], started)
        self.assertEqual(served["init"], "provisioned-concurrency")
        self.put("counted", 1)
        self.ready("counted", 1)
        eventually(lambda: len(self.environments() - before) == 1)
        self.client.delete_provisioned_concurrency_config(FunctionName="counted", Qualifier="live")
        eventually(lambda: not self.environments() - before)
        with self.assertRaisesRegex(ClientError, "ProvisionedConcurrencyConfigNotFoundException"):
            self.client.get_provisioned_concurrency_config(FunctionName="counted", Qualifier="live")
        self.assertEqual(self.host.invoke("counted:live", {"do": "pid"})["init"], "on-demand")

    def test_more_than_provisioned_spills_over_to_on_demand(self):
        self.deploy("spilled")
        self.put("spilled", 1)
        self.ready("spilled", 1)
        kinds = []
        event = {"do": "sleep", "seconds": 1, "started": f"{self.host.state_dir}/started"}
        busy = threading.Thread(target=lambda: self.host.invoke("spilled:live", event))
        busy.start()
        eventually(lambda: self.use("spilled") == 1)
        kinds.append(self.host.invoke("spilled:live", {"do": "pid"})["init"])
        busy.join()
        kinds.append(self.host.invoke("spilled:live", {"do": "pid"})["init"])
        self.assertEqual(kinds, ["on-demand", "provisioned-concurrency"])

    def use(self, name):
        """Concurrent executions now, by the metric."""
        statistics = self.host.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="ConcurrentExecutions", Period=60, Statistics=["Maximum"],
            StartTime=time.time() - 60, EndTime=time.time() + 60, Dimensions=[{"Name": "FunctionName", "Value": name}],
        )  # fmt: skip
        return max((point["Maximum"] for point in statistics["Datapoints"]), default=0)

    def test_an_alias_takes_its_environments_to_the_next_version(self):
        self.deploy("moved")
        self.put("moved", 1)
        self.ready("moved", 1)
        first = self.host.invoke("moved:live", {"do": "pid"})["pid"]
        self.client.update_function_configuration(FunctionName="moved", MemorySize=512)
        version = self.client.publish_version(FunctionName="moved")["Version"]
        self.client.update_alias(FunctionName="moved", Name="live", FunctionVersion=version)
        self.ready("moved", 1)
        second = self.host.invoke("moved:live", {"do": "pid"})
        self.assertNotEqual(second["pid"], first)
        self.assertEqual(second["init"], "provisioned-concurrency")

    def test_a_dead_environment_is_replaced_before_anyone_needs_it(self):
        self.deploy("mortal")
        before = self.environments()
        self.put("mortal", 1)
        self.ready("mortal", 1)
        [first] = self.environments() - before
        os.kill(first, signal.SIGKILL)
        [second] = eventually(lambda: self.environments() - before - {first})
        expected = {"pid": second, "init": "provisioned-concurrency"}
        eventually(lambda: self.host.invoke("mortal:live", {"do": "pid"}) == expected, what="the end of its start")

    def test_nothing_is_left_of_a_function_that_is_deleted(self):
        self.deploy("deleted")
        before = self.environments()
        self.put("deleted", 2)
        self.ready("deleted", 2)
        self.client.delete_function(FunctionName="deleted")
        eventually(lambda: not self.environments() - before)

    def test_an_environment_that_cannot_start_is_reported(self):
        self.host.deploy("unready", Environment={"Variables": {"FAIL_INIT": "1"}})
        self.client.publish_version(FunctionName="unready")
        self.client.create_alias(FunctionName="unready", Name="live", FunctionVersion="1")
        self.put("unready", 1)
        state = eventually(lambda: self.failed("unready"))
        self.assertEqual(state["StatusReason"], "FUNCTION_ERROR_INIT_FAILURE")

    def failed(self, name):
        state = self.client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
        return state if state["Status"] == "FAILED" else None

    def test_the_unpublished_version_and_zero_are_refused(self):
        self.deploy("refused")
        for qualifier, count, word in (
            ("$LATEST", 1, "InvalidParameterValueException"),
            ("live", 0, "ValidationException"),
            ("absent", 1, "ResourceNotFoundException"),
        ):
            with self.assertRaisesRegex(ClientError, word):
                self.client.put_provisioned_concurrency_config(
                    FunctionName="refused", Qualifier=qualifier, ProvisionedConcurrentExecutions=count
                )


if __name__ == "__main__":
    unittest.main()
