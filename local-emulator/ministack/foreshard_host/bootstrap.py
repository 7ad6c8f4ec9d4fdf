"""Starts the bootstrap of a MiniStack function, with what MiniStack and AWS give it in its environment."""

import os

from foreshard_native import bootstrap
from foreshard_native.bootstrap import Bootstrap, StartRefused
from foreshard_native.environment_record import EnvironmentRecord
from ministack.core.lambda_runtime import ProvidedRuntimeError
from ministack.services import lambda_svc

from foreshard_host import code_directory
from foreshard_host.function_environment import function_environment, new_log_stream


def launch(config: dict, code_zip: bytes, record: EnvironmentRecord, *, provisioned: bool) -> Bootstrap:
    """Start it; it has not asked for an event yet.

    # Errors
    StartRefused when the package has no bootstrap that this machine can execute.
    """
    try:
        code_dir = code_directory.of(config, code_zip)
    except ProvidedRuntimeError as failure:
        raise StartRefused(failure.error_type, str(failure)) from failure
    log_stream = new_log_stream(config.get("Version", "$LATEST"))

    def variables_of(port: int) -> dict[str, str]:
        given = lambda_svc._provided_worker_env(config, code_dir, port)
        return function_environment(given, dict(os.environ), config, log_stream, provisioned=provisioned)

    return bootstrap.launch(code_dir, variables_of, log_stream, record, lambda_svc._provided_code_lock)
