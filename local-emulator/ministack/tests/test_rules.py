"""The small rules, without a host."""

import unittest
from unittest import mock

from foreshard_host import function_environment, settings
from foreshard_native import environment_record, exit_words


class Words(unittest.TestCase):
    """What AWS says about an environment that ended."""

    def test_every_end_has_its_words(self):
        for status, words in (
            (0, "Runtime exited without providing a reason"),
            (2, "Runtime exited with error: exit status 2"),
            (-9, "Runtime exited with error: signal: killed"),
            (-11, "Runtime exited with error: signal: segmentation fault"),
            (-63, "Runtime exited with error: signal: signal 63"),
        ):
            self.assertEqual(exit_words.exited("r", status)["errorMessage"], f"RequestId: r Error: {words}")


class Variables(unittest.TestCase):
    """What a function finds in its environment."""

    def of(self, given, variables=None, **options):
        """The function's variables on a host whose own are known."""
        host = {"PATH": "/bin", "HOME": "/home/u", "SECRET": "s", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        config = {"FunctionName": "f", "Environment": {"Variables": variables or {}}}
        return function_environment.function_environment(
            {**host, **given}, host, config, "stream", **{"provisioned": False, **options}
        )

    def test_the_hosts_own_variables_stay_behind(self):
        found = self.of({"AWS_REGION": "r"})
        self.assertEqual((found["PATH"], found["AWS_REGION"], found["TZ"]), ("/bin", "r", ":UTC"))
        self.assertEqual(found["AWS_ENDPOINT_URL"], "http://127.0.0.1:1")
        self.assertFalse({"HOME", "SECRET"} & set(found))

    def test_what_the_function_declares_stays_even_if_the_host_has_the_same(self):
        self.assertEqual(self.of({}, {"SECRET": "s"})["SECRET"], "s")

    def test_the_kind_of_start(self):
        kinds = [self.of({}, provisioned=kind)["AWS_LAMBDA_INITIALIZATION_TYPE"] for kind in (False, True)]
        self.assertEqual(kinds, ["on-demand", "provisioned-concurrency"])

    def test_streams_are_named_as_on_aws_and_never_twice(self):
        first, second = (function_environment.new_log_stream("7") for _ in range(2))
        self.assertRegex(first, r"^\d{4}/\d\d/\d\d/\[7\][0-9a-f]{32}$")
        self.assertNotEqual(first, second)


class Settings(unittest.TestCase):
    """How MiniStack is set."""

    def test_nothing_is_public_and_all_files_are_in_one_place(self):
        found = settings.ministack_environment(4599, "/state")
        self.assertEqual((found["BIND_HOST"], found["GATEWAY_PORT"]), ("127.0.0.1", "4599"))
        for name in ("STATE_DIR", "S3_DATA_DIR"):
            self.assertTrue(found[name].startswith("/state/"))

    def test_variables_that_would_change_its_nature_are_named(self):
        given = {"LOCALSTACK_HOSTNAME": "h", "SERVICES": "s3", "PATH": "/bin", "MINISTACK_LAMBDA_PROXY_f": "u"}
        self.assertEqual(
            set(settings.unwanted_variables(given)), {"LOCALSTACK_HOSTNAME", "SERVICES", "MINISTACK_LAMBDA_PROXY_f"}
        )


class RetryDelay(unittest.TestCase):
    """The wait before the next attempt."""

    def test_growth_limit_and_jitter(self):
        from foreshard_host.retry_delay import delay_s

        rule = {"IntervalSeconds": 1, "BackoffRate": 2, "MaxDelaySeconds": 5}
        self.assertEqual([delay_s(rule, retries, 0.5) for retries in range(4)], [1, 2, 4, 5])
        jittered = {**rule, "JitterStrategy": "FULL"}
        self.assertEqual([delay_s(jittered, retries, 0.5) for retries in range(4)], [0.5, 1, 2, 2.5])
        self.assertEqual(delay_s({}, 2, 0.5), 4)


class Eviction(unittest.TestCase):
    """What is done at most every so often."""

    def test_it_runs_again_when_the_interval_is_over(self):
        from foreshard_host import metric_eviction

        runs = []
        limited = metric_eviction.at_most_every(60, lambda: runs.append(1))
        for now, expected in ((0, 1), (59, 1), (60, 2), (61, 2)):
            with mock.patch.object(metric_eviction.time, "monotonic", return_value=now):
                limited()
            self.assertEqual(len(runs), expected)


class StartTimes(unittest.TestCase):
    """A process is known by its id and its start."""

    def test_a_process_that_is_gone_has_none(self):
        self.assertIsNone(environment_record.start_of(2**22 + 1))
        self.assertEqual(environment_record.start_of(1), environment_record.start_of(1))


if __name__ == "__main__":
    unittest.main()
