"""The small rules, without a host."""

import os
import tomllib
import unittest
from importlib import metadata

from foreshard_localstack import (
    caller_identity,
    compatibility,
    function_log,
    function_variables,
    map_workers,
    names,
    settings,
    task_token,
)
from foreshard_localstack.dynamodb import Forwarder
from foreshard_native.environment import Figures
from foreshard_testing.machine import contents
from localstack.services.stepfunctions.asl.component.state.state_execution.state_map.iteration.job import JobPool
from localstack.services.stepfunctions.asl.eval.callback.callback import (
    CallbackNotifyConsumerError,
    CallbackOutcomeSuccess,
    CallbackPoolManager,
)
from werkzeug.datastructures import Headers

from tests.support import FOLDER, Table


class Variables(unittest.TestCase):
    """What a function finds in its environment."""

    def of(self, **given):
        """The function's variables on a host whose own are known."""
        host = {"PATH": "/bin", "HOME": "/home/u", "SECRET": "s"}
        return function_variables.of(given, host, {"FLAG": "on"}, "/code", 4711)

    def test_the_hosts_own_variables_and_localstacks_stay_behind(self):
        found = self.of(AWS_REGION="r", LOCALSTACK_RUNTIME_ID="x", EDGE_PORT="1", LAMBDA_TASK_ROOT="/var/task")
        expected = {
            "PATH": "/bin", "FLAG": "on", "AWS_REGION": "r",
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:4711", "LAMBDA_TASK_ROOT": "/code",
        }  # fmt: skip
        self.assertEqual(found, expected)

    def test_what_the_function_declares_wins(self):
        found = self.of(FLAG="off", PATH="/mine")
        self.assertEqual((found["FLAG"], found["PATH"]), ("off", "/mine"))


class Caller(unittest.TestCase):
    """Who called, as far as the access key tells."""

    def of(self, authorization):
        """The caller of a request with this header."""
        return caller_identity.caller_of(Headers({"Authorization": authorization} if authorization else {}))

    def test_a_signature_names_the_account(self):
        found = self.of("AWS4-HMAC-SHA256 Credential=111122223333/20260101/us-east-1/execute-api/aws4_request, Sig")
        self.assertEqual(found["accountId"], "111122223333")
        self.assertEqual(found["userArn"], "arn:aws:iam::111122223333:user/111122223333")

    def test_any_other_key_is_of_the_first_account(self):
        found = self.of("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/execute-api/aws4_request, Sig")
        self.assertEqual((found["accountId"], found["accessKey"]), ("000000000000", "test"))

    def test_without_a_signature_there_is_nobody(self):
        for header in ("", "Bearer abc", "AWS4-HMAC-SHA256 Signature=0"):
            self.assertEqual(self.of(header), {}, header)


class Log(unittest.TestCase):
    """An invocation's log."""

    def test_it_ends_with_the_figures(self):
        figures = Figures()
        figures.init_s, figures.duration_s, figures.peak_bytes = 0.5, 0.25, 3 * 1024 * 1024
        lines = function_log.of("r", "7", "one\ntwo\n", 128, figures).splitlines()
        self.assertEqual(lines[:4], ["START RequestId: r Version: 7", "one", "two", "END RequestId: r"])
        expected = (
            "REPORT RequestId: r\tDuration: 250.00 ms\tBilled Duration: 750 ms\tMemory Size: 128 MB"
            "\tMax Memory Used: 3 MB\tInit Duration: 500.00 ms"
        )
        self.assertEqual(lines[4:], [expected])


class Settings(unittest.TestCase):
    """How LocalStack is set."""

    def test_nothing_is_public_and_all_files_are_in_one_place(self):
        found = settings.localstack_environment(4599, "/state", "http://127.0.0.1:1")
        self.assertEqual((found["GATEWAY_LISTEN"], found["DNS_ADDRESS"]), ("127.0.0.1:4599", "0"))
        self.assertEqual((found["FILESYSTEM_ROOT"], found["OVERRIDE_IN_DOCKER"]), ("/state/localstack", "0"))
        self.assertTrue(found["DOCKER_HOST"].startswith("unix:///state/"))

    def test_settings_of_another_localstack_are_dropped(self):
        inherited = {
            "LAMBDA_RUNTIME_EXECUTOR": "docker",
            "LOCALSTACK_AUTH_TOKEN": "t",
            "AWS_PROFILE": "p",
            "SERVICES": "s3",
        }
        kept = {"LS_LOG": "debug", "HOME": "/home/u", "PATH": "/bin"}
        self.assertEqual(sorted(settings.unwanted_variables({**inherited, **kept})), sorted(inherited))


class Workers(unittest.TestCase):
    """Threads of a map."""

    def started(self, items, concurrency):
        """How many LocalStack starts."""
        threads = []
        launch = map_workers._limited(lambda *worker: threads.append(worker))
        pool = JobPool(None, list(range(items)))
        for _ in range(concurrency):
            launch(None, None, None, pool)
        return len(threads)

    def test_there_are_as_many_as_items_or_as_were_asked_for(self):
        self.assertEqual([self.started(3, 10_000), self.started(3, 2), self.started(0, 40)], [3, 2, 0])


class Tokens(unittest.TestCase):
    """Answers to what waits for a task token."""

    def test_the_first_answer_counts_and_no_other_is_taken(self):
        pool = CallbackPoolManager({})
        waiting = pool.add("token")
        answer = task_token._once(CallbackPoolManager.notify)
        self.assertTrue(answer(pool, "token", CallbackOutcomeSuccess("token", "first")))
        with self.assertRaises(CallbackNotifyConsumerError):
            answer(pool, "token", CallbackOutcomeSuccess("token", "second"))
        self.assertEqual(waiting.get_outcome().output, "first")
        self.assertFalse(answer(pool, "nobody's", CallbackOutcomeSuccess("nobody's", "x")))


class Names(unittest.TestCase):
    """The names under which LocalStack finds the plugins."""

    def test_they_are_those_of_the_package(self):
        project = tomllib.loads(contents(os.path.join(FOLDER, "pyproject.toml")))["project"]
        points = project["entry-points"]
        self.assertEqual(list(points["localstack.lambda.runtime_executor"]), [names.EXECUTOR])
        self.assertEqual(list(points["localstack.aws.provider"]), [f"dynamodb:{names.DYNAMODB_PROVIDER}"])
        self.assertIn(f"localstack-core[runtime]=={compatibility.LOCALSTACK_VERSION}", project["dependencies"])

    def test_what_is_installed_fits_and_can_be_loaded(self):
        self.assertEqual(compatibility.problems(), [])
        for group, name in compatibility.PLUGINS.items():
            [point] = metadata.entry_points(group=group, name=name)
            self.assertIsNotNone(point.load())


class Forwarding(unittest.TestCase):
    """DynamoDB's requests go to another server."""

    def setUp(self):
        self.table = Table()
        self.addCleanup(self.table.shutdown)
        self.forwarder = Forwarder(self.table.url)

    def ask(self, body, target="DynamoDB_20120810.ListTables"):
        """Status and text of an answer."""
        answer = self.forwarder.forward("POST", "/", [("X-Amz-Target", target), ("Host", "elsewhere")], body)
        return answer.status_code, answer.get_data(as_text=True)

    def test_requests_and_refusals_arrive_as_they_are(self):
        status, text = self.ask(b"{}")
        self.assertEqual((status, text), (200, '{"TableNames": ["DynamoDB_20120810.ListTables", "/", "{}"]}'))
        status, text = self.ask(b"{}", "DynamoDB_20120810.DeleteTable")
        self.assertEqual((status, "ResourceNotFoundException" in text), (400, True))
        self.assertEqual(self.table.connections, 1)

    def test_a_connection_that_was_closed_is_opened_again(self):
        for _ in range(3):
            self.assertEqual(self.ask(b'{"the": "last one"}')[0], 200)
        self.assertEqual(self.table.connections, 3)


if __name__ == "__main__":
    unittest.main()
