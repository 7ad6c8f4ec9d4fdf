"""Keeps two errors out of States.ALL, as on AWS: a state machine that relies on catching them would die there."""

from ministack.services import stepfunctions

# Nothing catches the first; the second only by its own name.
UNCATCHABLE = "States.Runtime"
BY_NAME_ONLY = "States.DataLimitExceeded"


def install() -> None:
    """Take the place of the comparison of an error with a rule."""
    stepfunctions._error_matches = _terminal_aside(stepfunctions._error_matches)


def _terminal_aside(plain):
    def error_matches(error_equals: list[str], error: str) -> bool:
        if error == UNCATCHABLE:
            return False
        if error == BY_NAME_ONLY:
            return error in error_equals
        return plain(error_equals, error)

    return error_matches
