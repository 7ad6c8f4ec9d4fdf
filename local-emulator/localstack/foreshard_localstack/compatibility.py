"""Refuses to start on a LocalStack that it was not written for: private names are replaced, and plugins must be found."""

import importlib.metadata

from foreshard_localstack.names import DYNAMODB_PROVIDER, EXECUTOR

LOCALSTACK_VERSION = "4.14.0"
# Group of entry points -> the name in it that LocalStack is told to use.
PLUGINS = {
    "localstack.lambda.runtime_executor": EXECUTOR,
    "localstack.aws.provider": f"dynamodb:{DYNAMODB_PROVIDER}",
}


def problems() -> list[str]:
    """What does not fit, in words for the person who starts the emulator; empty when all does."""
    try:
        version = importlib.metadata.version("localstack-core")
    except importlib.metadata.PackageNotFoundError:
        return [f"localstack-core is not installed, version {LOCALSTACK_VERSION} is needed"]
    found = []
    if version != LOCALSTACK_VERSION:
        found.append(f"localstack-core is version {version}, exactly {LOCALSTACK_VERSION} is needed")
    for group, name in PLUGINS.items():
        if not any(point.name == name for point in importlib.metadata.entry_points(group=group)):
            found.append(f"the plugin `{name}` of {group} is not installed: pip install --no-deps --editable .")
    return found
