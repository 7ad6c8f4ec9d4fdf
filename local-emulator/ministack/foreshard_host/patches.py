"""Puts all replacements in place, in the one order in which they fit together, and gives the application to serve."""

from foreshard_native.environment_record import EnvironmentRecord
from ministack.app import app

from foreshard_host import (
    branch_run,
    execution_history,
    execution_start,
    expression_cache,
    gateway_status,
    lambda_task,
    metric_eviction,
    path_fields,
    payload_limit,
    retry_delay,
    stopped_execution,
    strict_paths,
    task_timeout,
    task_token,
    terminal_errors,
)
from foreshard_host.compatibility import MINISTACK_VERSION
from foreshard_host.environment_pool import EnvironmentPool
from foreshard_host.function_logs import FunctionLogs
from foreshard_host.health import with_health
from foreshard_host.invocation_metrics import InvocationMetrics
from foreshard_host.provisioned_concurrency import ProvisionedConcurrency


def patched_application(record: EnvironmentRecord):
    """MiniStack's application with everything that Foreshard adds to it."""
    pool = EnvironmentPool(record)
    pool.install()
    provisioned = ProvisionedConcurrency(pool)
    provisioned.install()
    provisioned.start_upkeep()
    metrics = InvocationMetrics(provisioned)
    metrics.install()
    metrics.start_sampling()
    metric_eviction.install()
    expression_cache.install()
    FunctionLogs().install()
    gateway_status.install()
    # History first: the limits look at what it is asked to write.
    for rule in (
        execution_history,
        payload_limit,
        execution_start,
        branch_run,
        lambda_task,
        stopped_execution,
        path_fields,
        strict_paths,
        retry_delay,
        terminal_errors,
        task_token,
        task_timeout,
    ):
        rule.install()
    return with_health(app, {"status": "ready", "ministack": MINISTACK_VERSION})
