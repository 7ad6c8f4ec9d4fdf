"""Where MiniStack is more lenient than AWS, the host is not: paths, terminal errors, limits, histories."""

import json
import unittest

from botocore.exceptions import ClientError

from tests.support import shared_host, task


class Fidelity(unittest.TestCase):
    """State machines that AWS would not run to success."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()
        cls.host.deploy("judged")
        cls.machines = 0

    def run_states(self, states, value=None):
        """The ended execution of states that begin with the first."""
        Fidelity.machines += 1
        definition = {"StartAt": next(iter(states)), "States": states}
        return self.host.finish_execution(self.host.start_execution(f"m{self.machines}", definition, value))

    def test_a_path_that_leads_nowhere_fails_the_execution(self):
        end = {"Type": "Pass", "End": True}
        for states in (
            {"P": {**end, "Parameters": {"deep": {"x.$": "$.absent"}}}},
            {"P": {**end, "InputPath": "$.absent"}},
            {"P": {**end, "OutputPath": "$.absent"}},
            {"W": {"Type": "Wait", "SecondsPath": "$.absent", "End": True}},
            {"C": {"Type": "Choice", "Choices": [{"Variable": "$.absent", "StringEquals": "x", "Next": "P"}],
                   "Default": "P"}, "P": end},
            {"M": {"Type": "Map", "ItemsPath": "$.absent", "End": True,
                   "ItemProcessor": {"StartAt": "P", "States": {"P": end}}}},
        ):  # fmt: skip
            ended = self.run_states(states, {"here": None})
            self.assertEqual((ended["status"], ended.get("error")), ("FAILED", "States.Runtime"), states)
            self.assertIn("$.absent", ended["cause"])

    def test_presence_is_not_nullness(self):
        for path, present in (("$.here", True), ("$.absent", False), ("$.list[0]", True), ("$.list[1]", False)):
            choice = {
                "Type": "Choice",
                "Choices": [{"Variable": path, "IsPresent": True, "Next": "Yes"}],
                "Default": "No",
            }
            ended = self.run_states({
                "C": choice,
                "Yes": {"Type": "Pass", "Result": True, "End": True},
                "No": {"Type": "Pass", "Result": False, "End": True},
            }, {"here": None, "list": [None]})  # fmt: skip
            self.assertEqual(json.loads(ended["output"]), present, path)

    def caught(self, names, **fields):
        """Whether a Catch of these names takes what the task raises."""
        catch = [{"ErrorEquals": names, "Next": "Caught"}]
        ended = self.run_states({"T": task("judged", Catch=catch, **fields), "Caught": {"Type": "Pass", "End": True}})
        return ended["status"] == "SUCCEEDED"

    def test_what_states_all_does_not_catch(self):
        too_large = {"Parameters": {"FunctionName": "judged", "Payload": {"do": "large", "bytes": 300_000}}}
        nowhere = {"ResultSelector": {"x.$": "$.absent"}}
        for fields, names, expected in (
            (too_large, ["States.ALL"], False),
            (too_large, ["States.TaskFailed"], False),
            (too_large, ["States.DataLimitExceeded"], True),
            (nowhere, ["States.ALL"], False),
            (nowhere, ["States.Runtime"], False),
        ):
            self.assertEqual(self.caught(names, **fields), expected, (fields, names))

    def test_states_pass_256_kib_and_no_more(self):
        result = {"Type": "Pass", "Parameters": {"x.$": "$.x", "y.$": "$.x"}, "End": True}
        self.assertEqual(self.run_states({"P": result}, {"x": "a" * 130_000})["status"], "SUCCEEDED")
        self.assertEqual(self.run_states({"P": result}, {"x": "a" * 132_000})["error"], "States.DataLimitExceeded")
        with self.assertRaisesRegex(ClientError, "InvalidExecutionInput"):
            self.run_states({"P": result}, {"x": "a" * 262_144})

    def test_a_history_ends_at_25000_events(self):
        ended = self.run_states({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}})
        self.assertEqual(ended["status"], "FAILED")
        self.assertIn("maximum number of history events (25000)", ended["cause"])

    def test_a_lane_leaves_the_events_that_it_leaves_on_aws(self):
        lane = {"StartAt": "Do", "States": {
            "Do": task("judged", End=False, Next="C"),
            "C": {"Type": "Choice", "Choices": [{"Variable": "$", "IsPresent": True, "Next": "P"}]},
            "P": {"Type": "Pass", "End": True},
        }}  # fmt: skip
        del lane["States"]["Do"]["End"]
        states = {"Lanes": {"Type": "Map", "ItemsPath": "$.lanes", "ItemProcessor": lane, "End": True}}
        ended = self.run_states(states, {"lanes": ["one"]})
        history = self.host.client("stepfunctions").get_execution_history(executionArn=ended["executionArn"])
        self.assertEqual([event["type"] for event in history["events"]], [
            "ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapIterationStarted",
            "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
            "ChoiceStateEntered", "ChoiceStateExited", "PassStateEntered", "PassStateExited",
            "MapIterationSucceeded", "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded",
        ])  # fmt: skip


if __name__ == "__main__":
    unittest.main()
