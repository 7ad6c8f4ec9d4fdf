"""What one invocation gives back: answers, errors in AWS's words, environment variables, logs."""

import os
import signal
import tempfile
import threading
import unittest

from foreshard_testing.machine import contents, eventually, is_alive

from tests.support import shared_host


class Invocation(unittest.TestCase):
    """One host, one function for each kind of failure."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()
        cls.host.deploy("echo")

    def test_answers_come_back_as_they_are(self):
        for event in ({"a": [1, 2]}, "text", 7, None, {"ü": "😀"}):
            self.assertEqual(self.host.invoke("echo", event), event)

    def test_a_warm_environment_is_used_again(self):
        first, second = (self.host.invoke("echo", {"do": "pid"}) for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(first["init"], "on-demand")

    def test_a_typed_error_is_an_unhandled_function_error(self):
        answer = self.host.client("lambda").invoke(FunctionName="echo", Payload=b'{"do": "fail", "type": "Rejected"}')
        self.assertEqual(answer["FunctionError"], "Unhandled")
        self.assertIn(b'"errorType": "Rejected"', answer["Payload"].read())

    def test_an_exit_in_the_middle_is_reported_with_its_status(self):
        failure = self.host.invoke("echo", {"do": "exit", "status": 3})
        self.assertEqual(failure["errorType"], "Runtime.ExitError")
        self.assertRegex(failure["errorMessage"], r"^RequestId: \S+ Error: Runtime exited with error: exit status 3$")
        self.assertEqual(self.host.invoke("echo", {"again": 1}), {"again": 1})

    def test_sigkill_in_the_middle_fails_the_invocation_at_once(self):
        with tempfile.TemporaryDirectory() as folder:
            started, failures = os.path.join(folder, "started"), []
            event = {"do": "sleep", "seconds": 9, "started": started}
            invoking = threading.Thread(target=lambda: failures.append(self.host.invoke("echo", event)))
            invoking.start()
            pid = int(eventually(lambda: contents(started)))
            os.kill(pid, signal.SIGKILL)
            invoking.join(2)
            self.assertFalse(invoking.is_alive(), "the invocation outlived its environment by two seconds")
        self.assertEqual(failures[0]["errorType"], "Runtime.ExitError")
        self.assertTrue(failures[0]["errorMessage"].endswith("Error: Runtime exited with error: signal: killed"))

    def test_an_environment_killed_while_idle_is_replaced(self):
        before = self.host.invoke("echo", {"do": "pid"})["pid"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: not is_alive(before))
        self.assertNotEqual(self.host.invoke("echo", {"do": "pid"})["pid"], before)

    def test_a_timeout_has_aws_words_and_ends_the_environment(self):
        self.host.deploy("slow", Timeout=1)
        with tempfile.TemporaryDirectory() as folder:
            started = os.path.join(folder, "started")
            failure = self.host.invoke("slow", {"do": "sleep", "seconds": 9, "started": started})
            pid = int(contents(started))
        self.assertEqual(failure["errorType"], "Sandbox.Timedout")
        self.assertRegex(failure["errorMessage"], r"^RequestId: \S+ Error: Task timed out after 1\.00 seconds$")
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_a_response_above_six_megabytes_is_refused(self):
        self.assertEqual(len(self.host.invoke("echo", {"do": "large", "bytes": 6_000_000})), 6_000_000)
        failure = self.host.invoke("echo", {"do": "large", "bytes": 6_300_000})
        self.assertEqual(failure["errorType"], "Function.ResponseSizeTooLarge")

    def test_an_event_above_six_megabytes_is_refused(self):
        failure = self.host.invoke("echo", "x" * 6_300_000)
        self.assertEqual(failure["errorType"], "RequestEntityTooLargeException")

    def test_a_failed_init_is_reported_in_the_functions_words(self):
        self.host.deploy("broken", Environment={"Variables": {"FAIL_INIT": "1"}})
        expected = {"errorType": "Rejected", "errorMessage": "no configuration"}
        self.assertEqual(self.host.invoke("broken", {}), expected)

    def test_a_failing_environment_leaves_its_siblings_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            started, answers = os.path.join(folder, "started"), []
            event = {"do": "sleep", "seconds": 0.5, "started": started}
            invoking = threading.Thread(target=lambda: answers.append(self.host.invoke("echo", event)))
            invoking.start()
            eventually(lambda: contents(started))
            self.host.invoke("echo", {"do": "exit", "status": 1})
            invoking.join(5)
        self.assertEqual(answers, ["slept"])

    def test_an_update_lets_a_running_invocation_finish(self):
        self.host.deploy("updated")
        with tempfile.TemporaryDirectory() as folder:
            started, answers = os.path.join(folder, "started"), []
            event = {"do": "sleep", "seconds": 0.5, "started": started}
            invoking = threading.Thread(target=lambda: answers.append(self.host.invoke("updated", event)))
            invoking.start()
            pid = int(eventually(lambda: contents(started)))
            self.host.client("lambda").update_function_configuration(FunctionName="updated", Timeout=9)
            invoking.join(5)
        self.assertEqual(answers, ["slept"])
        eventually(lambda: not os.path.exists(f"/proc/{pid}"), what="the end of the replaced environment")

    def test_the_environment_holds_what_aws_sets_and_nothing_of_the_host(self):
        self.host.deploy("variables", Environment={"Variables": {"OWN": "1"}})
        found = self.host.invoke("variables", {"do": "environment"})
        self.assertEqual(found["AWS_ENDPOINT_URL"], f"http://127.0.0.1:{self.host.port}")
        self.assertEqual(found["AWS_LAMBDA_INITIALIZATION_TYPE"], "on-demand")
        self.assertEqual(found["AWS_LAMBDA_LOG_GROUP_NAME"], "/aws/lambda/variables")
        self.assertEqual((found["OWN"], found["AWS_REGION"]), ("1", "us-east-1"))
        self.assertFalse({"HOME", "LAMBDA_EXECUTOR", "STATE_DIR", "GATEWAY_PORT", "PWD"} & set(found))

    def test_logs_are_in_the_stream_of_the_environment_with_true_figures(self):
        self.host.deploy("logged")
        found = self.host.invoke("logged", {"do": "environment"})
        self.host.invoke("logged", {})
        events = self.host.client("logs").get_log_events(
            logGroupName="/aws/lambda/logged", logStreamName=found["AWS_LAMBDA_LOG_STREAM_NAME"]
        )["events"]
        lines = [event["message"] for event in events]
        self.assertEqual([line.split()[0] for line in lines], ["START", "handling", "END", "REPORT"] * 2)
        self.assertIn("Init Duration", lines[3])
        self.assertNotIn("Init Duration", lines[7])
        self.assertRegex(lines[7], r"Memory Size: 256 MB\tMax Memory Used: [1-9]\d? MB")


if __name__ == "__main__":
    unittest.main()
