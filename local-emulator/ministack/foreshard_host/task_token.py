"""Waits for task tokens as AWS does: a failed hand-over fails the state at once, a heartbeat that stops ends it, and only the
first answer counts.

MiniStack ignores the first two, so a lane whose function dies while it parks would wait for a day; and it takes a second
answer for as long as the waiting thread has not woken.
"""

import threading
import time

from ministack.services import stepfunctions

from foreshard_host import stopped_execution

_DEFAULT_TIMEOUT_S = 99_999_999
_answering = threading.Lock()


def install() -> None:
    """Take the place of the wait and of the heartbeat."""
    stepfunctions._invoke_with_callback = invoke_and_wait
    stepfunctions._send_task_heartbeat = _heartbeat_noting(stepfunctions._send_task_heartbeat)
    stepfunctions._send_task_success = _once(stepfunctions._send_task_success)
    stepfunctions._send_task_failure = _once(stepfunctions._send_task_failure)


def invoke_and_wait(resource: str, input_data, token: str, state: dict):
    """Hand the token over, then wait for its answer.

    # Errors
    What the hand-over raised, what SendTaskFailure said, States.Timeout, States.HeartbeatTimeout.
    """
    answered = threading.Event()
    entry = {"event": answered, "result": None, "error": None, "heartbeat": None, "beat_at": None}
    stepfunctions._task_tokens[token] = entry
    started = time.monotonic()
    try:
        with stopped_execution.ends_with_execution(entry):
            stepfunctions._invoke_resource(resource.replace(".waitForTaskToken", ""), input_data)
            # AWS: the clock of the heartbeat starts when the function has returned.
            entry["beat_at"] = time.monotonic()
            _wait(entry, started + state.get("TimeoutSeconds", _DEFAULT_TIMEOUT_S), state.get("HeartbeatSeconds"))
    finally:
        stepfunctions._task_tokens.pop(token, None)
    if entry["error"]:
        raise stepfunctions._ExecutionError(entry["error"].get("Error", "TaskFailed"), entry["error"].get("Cause", ""))
    return _value(entry["result"])


def _wait(entry: dict, deadline: float, heartbeat_s: float | None) -> None:
    while True:
        now = time.monotonic()
        silent_until = entry["beat_at"] + heartbeat_s if heartbeat_s else float("inf")
        if entry["event"].wait(max(0.0, min(deadline, silent_until) - now)):
            return
        now = time.monotonic()
        if now >= deadline:
            raise stepfunctions._ExecutionError("States.Timeout", "The task timed out while it waited for its token")
        if heartbeat_s and now >= entry["beat_at"] + heartbeat_s:
            raise stepfunctions._ExecutionError("States.HeartbeatTimeout", f"No heartbeat for {heartbeat_s} seconds")


def _heartbeat_noting(plain):
    def heartbeat(data: dict):
        answer = plain(data)
        entry = stepfunctions._task_tokens.get(data.get("taskToken"))
        if entry is not None:
            entry["beat_at"] = time.monotonic()
        return answer

    return heartbeat


def _once(plain):
    """The token is gone with its first answer; the waiting thread has the entry itself."""

    def answer(data: dict):
        with _answering:
            told = plain(data)
            stepfunctions._task_tokens.pop(data.get("taskToken"), None)
        return told

    return answer


def _value(result):
    if not isinstance(result, str):
        return result
    try:
        return stepfunctions.json.loads(result)
    except ValueError:
        return result
