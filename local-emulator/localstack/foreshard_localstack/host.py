"""What all environments of this process share; LocalStack makes them by itself, so it cannot be handed to them."""

from typing import NamedTuple

from foreshard_native.environment_record import EnvironmentRecord
from foreshard_native.memory_limit import MemoryLimit


class Shared(NamedTuple):
    """Where bootstraps are written down, what limits them, and the variables that each gets beside its own."""

    record: EnvironmentRecord
    memory_limit: MemoryLimit
    variables: dict[str, str]


_shared: Shared | None = None


def announce(record: EnvironmentRecord, variables: dict[str, str]) -> None:
    """Called once, before LocalStack starts."""
    global _shared
    _shared = Shared(record, MemoryLimit(), variables)


def shared() -> Shared:
    """What was announced.

    # Errors
    RuntimeError in a LocalStack that was started otherwise: its functions would outlive it.
    """
    if _shared is None:
        raise RuntimeError("this executor needs `python -m foreshard_localstack`")
    return _shared
