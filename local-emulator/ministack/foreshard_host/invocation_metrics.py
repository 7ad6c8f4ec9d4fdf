"""Publishes the AWS/Lambda metrics of every invocation, whoever invoked: MiniStack counts direct calls only."""

import threading
import time

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, lambda_svc

from foreshard_host import served
from foreshard_host.provisioned_concurrency import ProvisionedConcurrency

NAMESPACE = "AWS/Lambda"
# Concurrency of an invocation that lasts is seen in each of its minutes, as on AWS.
SAMPLE_S = 20


class InvocationMetrics:
    """One point for each invocation; equal values of one second share a point, so that memory stays bounded."""

    def __init__(self, provisioned: ProvisionedConcurrency):
        self._provisioned = provisioned
        self._dispatch = lambda_svc._execute_function_dispatch
        self._lock = threading.Lock()

    def install(self) -> None:
        """Count where every way of invoking comes through, and silence MiniStack's own count."""
        lambda_svc._execute_function_dispatch = self.dispatch
        lambda_svc._emit_lambda_metrics = self.throttled_only

    def start_sampling(self) -> None:
        """Sample the concurrency of what is running, for invocations longer than a minute."""
        threading.Thread(target=self._sample, name="invocation-metrics", daemon=True).start()

    def dispatch(self, func: dict, config: dict, event, request_id: str, started: float):
        """Execute, and record what it was."""
        served.forget()
        name, qualifier = config.get("FunctionName", "unknown"), _qualifier(config)
        self._record_concurrency(name, lambda_svc._inflight_key(config))
        result = self._dispatch(func, config, event, request_id, started)
        invocation = served.current()
        duration_s = invocation.duration_s if invocation else time.time() - started
        failed = isinstance(result, dict) and bool(result.get("error"))
        for dimensions in _dimensions(name, qualifier):
            self._record("Invocations", 1, "Count", dimensions)
            self._record("Errors", 1 if failed else 0, "Count", dimensions)
            self._record("Throttles", 0, "Count", dimensions)
            self._record("Duration", duration_s * 1000, "Milliseconds", dimensions)
        if invocation is not None:
            self._record_provisioned(name, qualifier, invocation.environment)
        return result

    def throttled_only(self, name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        """MiniStack reports each throttle twice: where it refuses (no error yet), and again to a direct caller."""
        if throttle and not error:
            for dimensions in _dimensions(name, None):
                self._record("Throttles", 1, "Count", dimensions)

    def _record_concurrency(self, name: str, key: str) -> None:
        total, by_function = lambda_svc.executions_in_flight()
        self._record("ConcurrentExecutions", by_function.get(key, 1), "Count", {"FunctionName": name})
        self._record("ConcurrentExecutions", total, "Count", {})

    def _record_provisioned(self, name: str, qualifier: str | None, environment) -> None:
        allocated = self._provisioned.allocated(environment)
        if not allocated:
            return
        kind = "" if environment.provisioned else "Spillover"
        metric = f"ProvisionedConcurrency{kind}Invocations"
        for dimensions in _dimensions(name, qualifier)[1:]:
            self._record(metric, 1, "Count", dimensions)
        self._record_use(_dimensions(name, qualifier)[1:], allocated, also_busy=environment)

    def _record_use(self, all_dimensions: list[dict], environments: list, also_busy=None) -> None:
        busy = sum(one.in_use or one is also_busy for one in environments)
        for dimensions in all_dimensions if environments else []:
            self._record("ProvisionedConcurrentExecutions", busy, "Count", dimensions)
            self._record("ProvisionedConcurrencyUtilization", busy / len(environments), "None", dimensions)

    def _record(self, metric: str, value: float, unit: str, dimensions: dict) -> None:
        now = time.time()
        bucket = cloudwatch._metric_bucket((NAMESPACE, metric, cloudwatch._dims_key(dimensions)))
        with self._lock:
            last = bucket[-1] if bucket else None
            if last and last["Value"] == value and int(last["Timestamp"]) == int(now):
                last["Count"] = last.get("Count", 1.0) + 1.0
                return
            bucket.append(
                {"Timestamp": now, "Value": float(value), "Count": 1.0, "Unit": unit, "Dimensions": dict(dimensions)}
            )

    def _sample(self) -> None:
        while True:
            time.sleep(SAMPLE_S)
            for key in lambda_svc.executions_in_flight()[1]:
                account, region, name = key.split(":", 2)
                with request_scope(account, region):
                    self._record_concurrency(name, key)
            for (account, region, name, qualifier), environments in self._provisioned.by_qualifier().items():
                with request_scope(account, region):
                    self._record_use(_dimensions(name, qualifier)[1:], environments)


def _qualifier(config: dict) -> str | None:
    """What stands behind the name in the ARN that was invoked."""
    parts = config.get("FunctionArn", "").split(":")
    return parts[7] if len(parts) > 7 else None


def _dimensions(name: str, qualifier: str | None) -> list[dict]:
    """Account, function, and function with qualifier, as AWS publishes them."""
    dimensions = [{}, {"FunctionName": name}]
    if qualifier:
        dimensions.append({"FunctionName": name, "Resource": f"{name}:{qualifier}"})
    return dimensions
