"""Puts all replacements in place, in the one order in which they fit together, and gives the application to serve."""

from ministack.app import app

from foreshard_host import (
    execution_history,
    execution_start,
    expression_cache,
    lambda_task,
    metric_eviction,
    path_fields,
    retry_delay,
    stopped_execution,
    task_token,
)
from foreshard_host.compatibility import MINISTACK_VERSION
from foreshard_host.environment_pool import EnvironmentPool
from foreshard_host.environment_record import EnvironmentRecord
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
    metrics = InvocationMetrics(provisioned)
    metrics.install()
    metrics.start_sampling()
    metric_eviction.install()
    expression_cache.install()
    FunctionLogs().install()
    lambda_task.install()
    execution_start.install()
    execution_history.install()
    stopped_execution.install()
    path_fields.install()
    retry_delay.install()
    task_token.install()
    return with_health(app, {"status": "ready", "ministack": MINISTACK_VERSION})
