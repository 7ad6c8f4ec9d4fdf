"""Task tokens over native functions: answered, lost, silent, and waiting when the execution is stopped."""

import concurrent.futures
import json
import os
import time
import unittest

from foreshard_testing.machine import eventually

from tests.support import shared_host


class TaskTokens(unittest.TestCase):
    """Executions that wait for an answer to their token."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()
        cls.host.deploy("parking")
        cls.client = cls.host.client("stepfunctions")

    def park(self, name, payload, **fields):
        """An execution that hands its token to the function and waits."""
        definition = {"StartAt": "Park", "States": {"Park": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": "parking", "Payload": {**payload, "token.$": "$$.Task.Token"}},
            "End": True,
            **fields,
        }}}  # fmt: skip
        return self.host.start_execution(name, definition)

    def token(self, execution):
        """The token that the function was given."""

        def scheduled():
            events = self.client.get_execution_history(executionArn=execution)["events"]
            found = [event["taskScheduledEventDetails"] for event in events if event["type"] == "TaskScheduled"]
            return found and "parameters" in found[0] and json.loads(found[0]["parameters"])["Payload"]["token"]

        return eventually(scheduled)

    def test_a_token_is_answered(self):
        execution = self.park("answered", {})
        self.client.send_task_success(taskToken=self.token(execution), output='{"woken": true}')
        self.assertEqual(json.loads(self.host.finish_execution(execution)["output"]), {"woken": True})

    def test_of_many_answers_one_is_taken(self):
        execution = self.park("asked-often", {})
        token = self.token(execution)

        def answer(number):
            try:
                self.client.send_task_success(taskToken=token, output=json.dumps(number))
            except self.client.exceptions.TaskDoesNotExist:
                return []
            return [number]

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            taken = sum(threads.map(answer, range(32)), [])
        self.assertEqual(taken, [json.loads(self.host.finish_execution(execution)["output"])])

    def test_a_failed_hand_over_fails_the_state_at_once(self):
        began = time.monotonic()
        ended = self.host.finish_execution(self.park("lost", {"do": "exit", "status": 1}, TimeoutSeconds=60))
        self.assertEqual(ended["error"], "Runtime.ExitError")
        self.assertLess(time.monotonic() - began, 5)

    def test_a_heartbeat_that_stops_ends_the_wait(self):
        execution = self.park("silent", {}, HeartbeatSeconds=1, TimeoutSeconds=60)
        token, began = self.token(execution), time.monotonic()
        time.sleep(0.6)  # the beat comes late in its second, so that without it the wait would end earlier
        self.client.send_task_heartbeat(taskToken=token)
        self.assertEqual(self.host.finish_execution(execution)["error"], "States.HeartbeatTimeout")
        self.assertGreater(time.monotonic() - began, 1.5)

    def test_a_stop_ends_branches_and_waits(self):
        lanes = {"Type": "Map", "ItemsPath": "$.lanes", "End": True, "ItemProcessor": {"StartAt": "Park", "States": {
            "Park": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": True,
                     "Parameters": {"FunctionName": "parking", "Payload": {"token.$": "$$.Task.Token"}},
                     "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "After"}]},
            "After": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True,
                      "Parameters": {"FunctionName": "parking", "Payload": "after"}},
        }}}  # fmt: skip
        for mode in ("INLINE", "DISTRIBUTED"):
            lanes["ItemProcessor"]["ProcessorConfig"] = {"Mode": mode}
            self.stop_while_waiting(mode, {"StartAt": "Lanes", "States": {"Lanes": lanes}})

    def stop_while_waiting(self, mode, definition):
        """Stop two lanes that wait: none goes on, none fails the execution that was aborted."""
        execution = self.host.start_execution(f"stopped-{mode}", definition, {"lanes": [1, 2]})
        eventually(lambda: self.waiting(execution, mode) == 2)
        threads = self.threads()
        self.client.stop_execution(executionArn=execution)
        self.assertEqual(self.host.finish_execution(execution)["status"], "ABORTED")
        eventually(lambda: self.threads() <= threads - 2, what="the end of the lanes' threads")
        self.assertEqual(self.client.describe_execution(executionArn=execution)["status"], "ABORTED")
        types = [event["type"] for event in self.host.history(execution)]
        self.assertEqual(types.count("TaskScheduled"), 2 if mode == "INLINE" else 0)

    def threads(self):
        """Threads of the host."""
        return len(os.listdir(f"/proc/{self.host.process.pid}/task"))

    def waiting(self, execution, mode):
        """How many lanes have handed their token over."""
        if mode == "INLINE":
            return [event["type"] for event in self.host.history(execution)].count("TaskScheduled")
        runs = self.client.list_map_runs(executionArn=execution)["mapRuns"]
        children = runs and self.client.list_executions(mapRunArn=runs[0]["mapRunArn"])["executions"]
        return sum(
            any(event["type"] == "TaskScheduled" for event in self.host.history(child["executionArn"]))
            for child in children
        )


if __name__ == "__main__":
    unittest.main()
