"""Decides what a function finds in its environment variables: what AWS sets and what it declares, not what LocalStack adds."""

from foreshard_native.host_variables import HOST_VARIABLES

# Of LocalStack's own; its Lambda images need them, a function on AWS never sees them.
_LOCALSTACK_ONLY = ("LOCALSTACK_", "EDGE_PORT")


def of(
    given: dict[str, str], host: dict[str, str], extra: dict[str, str], code_dir: str, runtime_port: int
) -> dict[str, str]:
    """`given` is LocalStack's mixture of AWS's variables, its own and the declared ones; a declared one wins over `extra`."""
    return {
        **{name: host[name] for name in HOST_VARIABLES if name in host},
        **extra,
        **{name: value for name, value in given.items() if not name.startswith(_LOCALSTACK_ONLY)},
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime_port}",
        "LAMBDA_TASK_ROOT": code_dir,
    }
