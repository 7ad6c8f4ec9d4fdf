"""Runs a function's bootstrap as a process of this machine, in LocalStack's own shape of an execution environment."""

import contextlib
import json
import os

from foreshard_native import bootstrap
from foreshard_native.environment import Environment, Figures
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from foreshard_localstack import function_log, function_variables, host
from localstack import config

_HOST = "127.0.0.1"
_MIB = 1024 * 1024
# AWS gives this to an environment that is started before anybody asks for it.
_PROVISIONED = "provisioned-concurrency"


class NativeExecutor(RuntimeExecutor):
    """One environment. Its bootstrap starts with the first invocation, so that a failed start is that invocation's answer."""

    def __init__(self, id: str, function_version: FunctionVersion):
        super().__init__(id=id, function_version=function_version)
        self._variables: dict[str, str] = {}
        settings = function_version.config
        self._environment = Environment(
            self._launch, settings.memory_size * _MIB, settings.timeout, host.shared().memory_limit
        )

    def start(self, env_vars: dict[str, str]) -> None:
        """Remember the variables; start at once only what was provisioned.

        # Errors
        StatusErrorException when a provisioned bootstrap does not come up.
        """
        self._variables = {name: str(value) for name, value in env_vars.items()}
        if self._variables.get("AWS_LAMBDA_INITIALIZATION_TYPE") == _PROVISIONED:
            try:
                self._environment.start()
            except Exception as failure:
                raise StatusErrorException(f"the environment did not start: {failure!r}", payload=b"{}") from failure

    def stop(self) -> None:
        """End the bootstrap with everything that it started, when its invocation is over."""
        self._environment.end()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """One invocation; it never raises: LocalStack would lose the environment's log."""
        figures = Figures()
        request_id = payload["invoke-id"]
        answer = self._environment.invoke(
            request_id,
            payload["payload"].encode(),
            payload["invoked-function-arn"],
            payload.get("trace-id"),
            figures,
        )
        version = self.function_version.id.qualifier
        printed = self._environment.take_log()
        log = function_log.of(request_id, version, printed, self.function_version.config.memory_size, figures)
        body = json.dumps(answer.payload).encode()
        return InvocationResult(request_id, body, is_error=answer.failed, logs=log, executed_version=version)

    def get_logs(self) -> str:
        """Nothing: every invocation carries its own log."""
        return ""

    def get_address(self) -> str:
        """Where the environment is, for LocalStack."""
        return _HOST

    def get_endpoint_from_executor(self) -> str:
        """Where LocalStack is, for the function: the host of AWS_ENDPOINT_URL."""
        return _HOST

    def get_runtime_endpoint(self) -> str:
        """LocalStack's own callback; nobody calls it, because the Runtime API is served by this process."""
        return f"http://{_HOST}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Extract the package once for all environments of the version."""
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """The package stays until LocalStack removes it: other versions may have the same."""

    def _launch(self) -> bootstrap.Bootstrap:
        code_dir = str(self.function_version.config.code.get_unzipped_code_location())
        log_stream = self._variables["AWS_LAMBDA_LOG_STREAM_NAME"]

        def variables_of(port: int) -> dict[str, str]:
            return function_variables.of(self._variables, dict(os.environ), host.shared().variables, code_dir, port)

        # LocalStack extracts into a fresh folder and renames it, so nothing that is executed is ever open for writing.
        return bootstrap.launch(code_dir, variables_of, log_stream, host.shared().record, contextlib.nullcontext())
