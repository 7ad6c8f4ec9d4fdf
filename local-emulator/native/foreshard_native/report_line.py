"""The last line of an invocation's log, as AWS writes it: tools read durations, cold starts and memory from it."""

import math

from foreshard_native.environment import Figures

_MIB = 1024 * 1024


def of(request_id: str, memory_mib: int, figures: Figures) -> str:
    """REPORT with true figures."""
    duration_ms = figures.duration_s * 1000
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration_ms:.2f} ms",
        f"Billed Duration: {math.ceil(duration_ms + (figures.init_s or 0) * 1000)} ms",
        f"Memory Size: {memory_mib} MB",
        f"Max Memory Used: {math.ceil(figures.peak_bytes / _MIB)} MB",
    ]
    if figures.init_s is not None:
        fields.append(f"Init Duration: {figures.init_s * 1000:.2f} ms")
    return "\t".join(fields)
