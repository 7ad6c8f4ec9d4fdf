"""Tells LocalStack where its functions run."""

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin

from foreshard_localstack.names import EXECUTOR


class NativeExecutorPlugin(RuntimeExecutorPlugin):
    """Loaded by LocalStack's plugin manager, from the entry point in pyproject.toml."""

    name = EXECUTOR

    def load(self, *args, **kwargs):
        """The class of which LocalStack makes one object for each environment."""
        from foreshard_localstack.executor import NativeExecutor

        return NativeExecutor
