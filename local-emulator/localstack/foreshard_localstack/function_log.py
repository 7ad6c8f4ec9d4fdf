"""Words an invocation's log as CloudWatch Logs shows it; LocalStack splits it into events by line."""

from foreshard_native import report_line
from foreshard_native.environment import Figures


def of(request_id: str, version: str, printed: str, memory_mib: int, figures: Figures) -> str:
    """START, what the function printed, END and REPORT."""
    lines = [f"START RequestId: {request_id} Version: {version}"]
    lines += printed.splitlines()
    lines += [f"END RequestId: {request_id}", report_line.of(request_id, memory_mib, figures)]
    return "\n".join(lines) + "\n"
