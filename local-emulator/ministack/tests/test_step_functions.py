"""State machines over native functions: error words, delays, tokens, stops, and what the history shows."""

import json
import os
import threading
import unittest

from foreshard_testing.machine import contents, eventually

from tests.support import shared_host, task

WORDS = ("Rejected", "Unavailable", "Conflict")


class StepFunctions(unittest.TestCase):
    """One host, one echoing function, one state machine for each test."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()
        cls.host.deploy("work")
        cls.client = cls.host.client("stepfunctions")

    def run_task(self, name, value, **fields):
        """The execution of one task state followed by one that shows what was caught."""
        definition = {
            "StartAt": "Do",
            "States": {"Do": task("work", **fields), "Caught": {"Type": "Pass", "End": True}},
        }
        return self.host.finish_execution(self.host.start_execution(name, definition, value))

    def test_each_word_of_ours_is_caught_by_its_name(self):
        for word in WORDS:
            others = [other for other in WORDS if other != word]
            catch = [{"ErrorEquals": others, "Next": "Nowhere"}, {"ErrorEquals": [word], "Next": "Caught"}]
            ended = self.run_task(f"catch{word}", {"do": "fail", "type": word, "message": "why"}, Catch=catch)
            self.assertEqual(ended["status"], "SUCCEEDED")
            caught = json.loads(ended["output"])
            self.assertEqual(caught["Error"], word)
            self.assertEqual(json.loads(caught["Cause"])["errorMessage"], "why")

    def test_a_word_is_retried_by_its_name_and_only_by_it(self):
        for word, expected in (("Unavailable", "SUCCEEDED"), ("Rejected", "FAILED")):
            attempts = os.path.join(self.host.state_dir, f"attempts-{word}")
            event = {"do": "fail_until", "file": attempts, "attempts": 3, "type": word}
            retry = [{"ErrorEquals": ["Unavailable"], "IntervalSeconds": 1, "MaxAttempts": 5, "BackoffRate": 1,
                      "JitterStrategy": "FULL", "MaxDelaySeconds": 1}]  # fmt: skip
            ended = self.run_task(f"retry{word}", event, Retry=retry)
            self.assertEqual(ended["status"], expected)
            self.assertEqual(len(contents(attempts)), 3 if expected == "SUCCEEDED" else 1)

    def test_a_dead_environment_and_a_slow_one_have_aws_words(self):
        self.host.deploy("hasty", Timeout=1)
        started = os.path.join(self.host.state_dir, "hasty-started")
        for event, word in (
            ({"do": "exit", "status": 1}, "Runtime.ExitError"),
            ({"do": "sleep", "seconds": 5, "started": started}, "Sandbox.Timedout"),
        ):
            definition = {"StartAt": "Do", "States": {"Do": task("hasty", TimeoutSeconds=30)}}
            arn = self.host.start_execution(f"dead-{word.replace('.', '')}", definition, event)
            self.assertEqual(self.host.finish_execution(arn)["error"], word)

    def test_the_states_own_timeout_is_another_word(self):
        started = os.path.join(self.host.state_dir, "state-started")
        event = {"do": "sleep", "seconds": 3, "started": started, "limit": 1}
        self.assertEqual(self.run_task("timeout", event, TimeoutSeconds=1)["error"], "States.Timeout")
        self.assertEqual(self.run_task("timeoutPath", event, TimeoutSecondsPath="$.limit")["error"], "States.Timeout")

    def test_throttles_and_missing_functions_and_large_payloads_have_aws_words(self):
        self.host.deploy("throttled")
        self.host.client("lambda").put_function_concurrency(FunctionName="throttled", ReservedConcurrentExecutions=0)
        for name, value, word in (
            ("throttled", {}, "Lambda.TooManyRequestsException"),
            ("missing", {}, "Lambda.ResourceNotFoundException"),
            ("work", {"do": "large", "bytes": 300_000}, "States.DataLimitExceeded"),
        ):
            definition = {"StartAt": "Do", "States": {"Do": task(name)}}
            ended = self.host.finish_execution(self.host.start_execution(f"word-{name}", definition, value))
            self.assertEqual(ended["error"], word)

    def test_an_execution_starts_at_once_and_the_same_name_is_the_same_execution(self):
        definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}}}
        first = self.host.start_execution("named", definition, {"a": 1}, name="one")
        machine = first.replace(":execution:", ":stateMachine:").rsplit(":", 1)[0]
        again = self.client.start_execution(stateMachineArn=machine, name="one", input='{"a": 1}')
        self.assertEqual(again["executionArn"], first)
        with self.assertRaises(self.client.exceptions.ExecutionAlreadyExists):
            self.client.start_execution(stateMachineArn=machine, name="one", input='{"a": 2}')
        self.host.finish_execution(first)
        with self.assertRaises(self.client.exceptions.ExecutionAlreadyExists):
            self.client.start_execution(stateMachineArn=machine, name="one", input='{"a": 1}')

    def test_the_history_shows_which_function_each_branch_used(self):
        self.host.deploy("other")
        both = {"Type": "Parallel", "End": True, "Branches": [
            {"StartAt": f"On{name}", "States": {f"On{name}": task(name)}} for name in ("work", "other")
        ]}  # fmt: skip
        execution = self.host.start_execution("shadow", {"StartAt": "Both", "States": {"Both": both}}, {"a": 1})
        self.host.finish_execution(execution)
        events = self.host.history(execution)
        self.assertEqual([event["id"] for event in events], list(range(1, len(events) + 1)))
        by_id = {event["id"]: event for event in events}
        used = {}
        for event in events:
            if event["type"] == "TaskScheduled":
                entered = by_id[event["previousEventId"]]["stateEnteredEventDetails"]["name"]
                used[entered] = json.loads(event["taskScheduledEventDetails"]["parameters"])["FunctionName"]
        self.assertEqual(used, {"Onwork": "work", "Onother": "other"})

    def test_a_map_takes_its_concurrency_from_the_input(self):
        started = os.path.join(self.host.state_dir, "narrow")
        item = task("work", Parameters={"FunctionName": "work", "Payload": {
            "do": "sleep", "seconds": 0.1, "started": started}})  # fmt: skip
        narrow = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrencyPath": "$.width", "End": True,
                  "ItemProcessor": {"StartAt": "Do", "States": {"Do": item}}}  # fmt: skip
        for width, least_s in ((1, 0.4), (4, 0.0)):
            value = {"items": [1, 2, 3, 4], "width": width}
            definition = {"StartAt": "Narrow", "States": {"Narrow": narrow}}
            ended = self.host.finish_execution(self.host.start_execution(f"narrow{width}", definition, value))
            took = (ended["stopDate"] - ended["startDate"]).total_seconds()
            self.assertEqual(ended["status"], "SUCCEEDED")
            self.assertGreaterEqual(took, least_s)

    def test_the_runtime_is_told_the_alias_that_was_invoked(self):
        client = self.host.client("lambda")
        client.publish_version(FunctionName="work")
        client.create_alias(FunctionName="work", Name="live", FunctionVersion="1")
        arn = client.get_alias(FunctionName="work", Name="live")["AliasArn"]
        by_input = {"StartAt": "Do", "States": {"Do": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True,
            "Parameters": {"FunctionName.$": "$.target", "Payload": {"do": "pid"}}, "OutputPath": "$.Payload",
        }}}  # fmt: skip
        for index, target in enumerate((arn, "work:live")):
            ended = self.host.finish_execution(self.host.start_execution(f"alias{index}", by_input, {"target": target}))
            self.assertIn("pid", json.loads(ended["output"]))

    def test_a_lane_survives_sigkill_of_its_environment(self):
        started = os.path.join(self.host.state_dir, "killed-lane")
        event = {"do": "sleep", "seconds": 30, "started": started}
        catch = [{"ErrorEquals": ["Runtime.ExitError"], "Next": "Caught"}]
        ended = []
        running = threading.Thread(target=lambda: ended.append(self.run_task("killed", event, Catch=catch)))
        running.start()
        os.kill(int(eventually(lambda: contents(started))), 9)
        running.join(5)
        self.assertEqual(ended[0]["status"], "SUCCEEDED")


if __name__ == "__main__":
    unittest.main()
