"""Decides what MiniStack reads from the environment; it reads while it is imported, so this comes before."""

import os

ACCOUNT_ID = "000000000000"


def ministack_environment(port: int, state_dir: str) -> dict[str, str]:
    """Variables that make MiniStack serve this machine only and keep its files in `state_dir`."""
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        # Functions call back here. They get this variable whatever their own configuration says.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_STRICT": "0",
        # No listeners besides the one port.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "false",
        "USE_SSL": "0",
        # Nothing of an earlier run comes back; what a run leaves is in one place.
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "STATE_DIR": os.path.join(state_dir, "ministack"),
        "S3_DATA_DIR": os.path.join(state_dir, "s3"),
        # Docker is never asked for anything.
        "DOCKER_HOST": f"unix://{os.path.join(state_dir, 'no-docker.sock')}",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }


def unwanted_variables(environment: dict[str, str]) -> list[str]:
    """Names that would turn MiniStack into something else: another way of logging in, of persisting, of mocking."""
    return [
        name
        for name in environment
        if name.startswith(("LOCALSTACK_", "MINISTACK_LAMBDA_PROXY_")) or name in ("SERVICES", "SFN_MOCK_CONFIG")
    ]
