"""AWS/Lambda metrics for every way of invoking."""

import threading
import time
import unittest

from foreshard_testing.machine import eventually

from tests.support import shared_host, task


class Metrics(unittest.TestCase):
    """Sums and maxima as CloudWatch gives them."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()
        cls.cloudwatch = cls.host.client("cloudwatch")

    def metric(self, name, statistic, **dimensions):
        """One figure over all of the test's time."""
        answer = self.cloudwatch.get_metric_data(
            StartTime=time.time() - 300,
            EndTime=time.time() + 60,
            MetricDataQueries=[
                {
                    "Id": "m",
                    "MetricStat": {
                        "Period": 60,
                        "Stat": statistic,
                        "Metric": {
                            "Namespace": "AWS/Lambda",
                            "MetricName": name,
                            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                        },
                    },
                }
            ],
        )
        values = answer["MetricDataResults"][0]["Values"]
        return max(values, default=None) if statistic == "Maximum" else sum(values)

    def test_direct_calls(self):
        self.host.deploy("direct")
        for _ in range(3):
            self.host.invoke("direct", {})
        self.host.invoke("direct", {"do": "fail", "type": "Rejected"})
        self.assertEqual(self.metric("Invocations", "Sum", FunctionName="direct"), 4)
        self.assertEqual(self.metric("Errors", "Sum", FunctionName="direct"), 1)
        self.assertEqual(self.metric("Throttles", "Sum", FunctionName="direct"), 0)
        self.assertEqual(self.metric("Duration", "SampleCount", FunctionName="direct"), 4)

    def test_calls_of_state_machines(self):
        self.host.deploy("stepped")
        definition = {"StartAt": "A", "States": {"A": {**task("stepped"), "Next": "B"}, "B": task("stepped")}}
        del definition["States"]["A"]["End"]
        self.assertEqual(
            self.host.finish_execution(self.host.start_execution("twice", definition))["status"], "SUCCEEDED"
        )
        self.assertEqual(self.metric("Invocations", "Sum", FunctionName="stepped"), 2)

    def test_asynchronous_calls_are_counted_once(self):
        self.host.deploy("async")
        self.host.client("lambda").invoke(FunctionName="async", InvocationType="Event", Payload=b"{}")
        eventually(lambda: self.metric("Invocations", "Sum", FunctionName="async"))
        self.assertEqual(self.metric("Invocations", "Sum", FunctionName="async"), 1)

    def test_throttles_are_no_invocations(self):
        self.host.deploy("capped")
        client = self.host.client("lambda")
        client.put_function_concurrency(FunctionName="capped", ReservedConcurrentExecutions=0)
        with self.assertRaises(client.exceptions.TooManyRequestsException):
            client.invoke(FunctionName="capped", Payload=b"{}")
        self.assertEqual(self.metric("Throttles", "Sum", FunctionName="capped"), 1)
        self.assertEqual(self.metric("Invocations", "Sum", FunctionName="capped"), 0)

    def test_concurrency_and_the_share_of_provisioned_environments(self):
        self.host.deploy("parallel")
        client = self.host.client("lambda")
        client.publish_version(FunctionName="parallel")
        client.create_alias(FunctionName="parallel", Name="live", FunctionVersion="1")
        client.put_provisioned_concurrency_config(
            FunctionName="parallel", Qualifier="live", ProvisionedConcurrentExecutions=2
        )
        eventually(lambda: client.get_provisioned_concurrency_config(
            FunctionName="parallel", Qualifier="live")["Status"] == "READY")  # fmt: skip
        event = {"do": "sleep", "seconds": 0.4, "started": f"{self.host.state_dir}/started"}
        calls = [threading.Thread(target=lambda: self.host.invoke("parallel:live", event)) for _ in range(3)]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        alias = {"FunctionName": "parallel", "Resource": "parallel:live"}
        self.assertEqual(self.metric("ConcurrentExecutions", "Maximum", FunctionName="parallel"), 3)
        self.assertEqual(self.metric("Invocations", "Sum", **alias), 3)
        self.assertEqual(self.metric("ProvisionedConcurrencyInvocations", "Sum", **alias), 2)
        self.assertEqual(self.metric("ProvisionedConcurrencySpilloverInvocations", "Sum", **alias), 1)
        self.assertEqual(self.metric("ProvisionedConcurrencyUtilization", "Maximum", **alias), 1.0)
        self.assertEqual(self.metric("ProvisionedConcurrentExecutions", "Maximum", **alias), 2)

    def test_published_metrics_come_back(self):
        self.cloudwatch.put_metric_data(Namespace="Own", MetricData=[
            {"MetricName": "M", "Values": [1.0, 3.0], "Counts": [2.0, 1.0], "StorageResolution": 1, "Unit": "Count"},
        ])  # fmt: skip
        answer = self.cloudwatch.get_metric_statistics(
            Namespace="Own", MetricName="M", Period=60, Statistics=["Sum", "SampleCount", "Maximum"],
            StartTime=time.time() - 60, EndTime=time.time() + 60,
        )["Datapoints"]  # fmt: skip
        self.assertEqual(
            [(point["Sum"], point["SampleCount"], point["Maximum"]) for point in answer], [(5.0, 3.0, 3.0)]
        )


if __name__ == "__main__":
    unittest.main()
