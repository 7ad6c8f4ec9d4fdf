"""Writes an invocation's lines to the log stream of the environment that served it, with true figures in REPORT.

MiniStack opens a new stream for each invocation and reports the largest child that it ever had as memory used.
"""

import time

from foreshard_native import report_line
from ministack.services import cloudwatch_logs, lambda_svc

from foreshard_host import served


class FunctionLogs:
    """Takes the place of MiniStack's writer for native functions; the others keep theirs."""

    def __init__(self):
        self._write_plain = lambda_svc._emit_lambda_logs

    def install(self) -> None:
        """From now on every invocation's log comes through here."""
        lambda_svc._emit_lambda_logs = self.write

    def write(self, func: dict, request_id: str, log_text: str, error: bool, duration_ms: int, **options) -> None:
        """START, what the function printed, END and REPORT, as CloudWatch Logs shows them."""
        invocation = served.current()
        if invocation is None or not invocation.log_stream:
            self._write_plain(func, request_id, log_text, error, duration_ms, **options)
            return
        config = func.get("config") or func
        lines = [f"START RequestId: {request_id} Version: {config.get('Version', '$LATEST')}"]
        lines += log_text.splitlines()
        lines += [f"END RequestId: {request_id}", report_line.of(request_id, config.get("MemorySize", 128), invocation)]
        now_ms = int(time.time() * 1000)
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName')}"
        events = [{"timestamp": now_ms, "message": line, "ingestionTime": now_ms} for line in lines]
        cloudwatch_logs._append_log_events(_stream(group, invocation.log_stream, now_ms), events)
        cloudwatch_logs._fanout_to_subscription_filters(group, invocation.log_stream, events)


def _stream(group_name: str, stream_name: str, now_ms: int) -> dict:
    group = cloudwatch_logs._log_groups.setdefault(
        group_name,
        {
            "arn": cloudwatch_logs._make_group_arn(group_name),
            "creationTime": now_ms,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        },
    )
    return group["streams"].setdefault(
        stream_name,
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now_ms,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )
