"""Decides what LocalStack reads from the environment; it reads while it is imported, so this comes before."""

import os
import sys

from foreshard_localstack.names import DYNAMODB_ENDPOINT, DYNAMODB_PROVIDER, EXECUTOR

# Settings of LocalStack that somebody has for another LocalStack would turn this one into something else.
_KEPT = frozenset({"DEBUG", "LS_LOG"})


def localstack_environment(port: int, state_dir: str, dynamodb: str) -> dict[str, str]:
    """Variables that make LocalStack serve this machine only and keep its files in `state_dir`."""
    return {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        # In a container it would take itself for its own image, whose folders are at the root and not in `state_dir`.
        "OVERRIDE_IN_DOCKER": "0",
        "FILESYSTEM_ROOT": os.path.join(state_dir, "localstack"),
        "LAMBDA_RUNTIME_EXECUTOR": EXECUTOR,
        "PROVIDER_OVERRIDE_DYNAMODB": DYNAMODB_PROVIDER,
        DYNAMODB_ENDPOINT: dynamodb,
        # A version is there when its creation has been answered: nobody need poll for it.
        "LAMBDA_SYNCHRONOUS_CREATE": "1",
        # No listener besides the one port, and nothing that asks the internet.
        "DNS_ADDRESS": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        # What a template asks for and LocalStack does not have is harmless; the functions do not need it.
        "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "1",
        "PERSISTENCE": "0",
        "LS_LOG": os.environ.get("LS_LOG", "warning"),
        # Docker is never asked for anything.
        "DOCKER_HOST": f"unix://{os.path.join(state_dir, 'no-docker.sock')}",
        # The index of entry points belongs to this virtual environment, not to the user.
        "XDG_CACHE_HOME": os.path.join(sys.prefix, "cache"),
    }


def unwanted_variables(environment: dict[str, str]) -> list[str]:
    """Names that would reach LocalStack or its clients and mean another one."""
    prefixes = ("LOCALSTACK_", "LAMBDA_", "PROVIDER_OVERRIDE_", "DYNAMODB_", "SFN_", "CFN_", "AWS_")
    return [
        name
        for name in environment
        if name not in _KEPT and (name.startswith(prefixes) or name in ("SERVICES", "EAGER_SERVICE_LOADING"))
    ]
