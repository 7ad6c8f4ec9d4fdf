"""The words in which AWS reports an environment that ended or fell silent; retry rules are written against them."""

import signal

# As the Go program that watches the runtime on AWS prints them.
_SIGNAL_WORDS = {
    signal.SIGKILL: "killed",
    signal.SIGTERM: "terminated",
    signal.SIGINT: "interrupt",
    signal.SIGHUP: "hangup",
    signal.SIGABRT: "aborted",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGBUS: "bus error",
    signal.SIGILL: "illegal instruction",
    signal.SIGFPE: "floating point exception",
    signal.SIGPIPE: "broken pipe",
}


def exited(request_id: str, status: int) -> dict[str, str]:
    """The bootstrap ended; `status` is negative for a signal. Out of memory is `signal: killed`."""
    if status < 0:
        reason = f"Runtime exited with error: signal: {_SIGNAL_WORDS.get(-status, f'signal {-status}')}"
    elif status > 0:
        reason = f"Runtime exited with error: exit status {status}"
    else:
        reason = "Runtime exited without providing a reason"
    return failed(request_id, "Runtime.ExitError", reason)


def timed_out(request_id: str, timeout_s: float) -> dict[str, str]:
    """The function did not answer within its own Timeout."""
    return failed(request_id, "Sandbox.Timedout", f"Task timed out after {timeout_s:.2f} seconds")


def failed(request_id: str, error_type: str, reason: str) -> dict[str, str]:
    """Any failure that is the environment's and not the handler's."""
    return {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {reason}"}
