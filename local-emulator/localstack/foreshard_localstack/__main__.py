"""`python -m foreshard_localstack --port 4566 --state-dir DIR --dynamodb URL`: checks, cleans up, patches, serves.

Exit codes: 0 stopped by a signal; 2 wrong arguments; 3 LocalStack is not the one that this was written for;
4 the port is taken, or a host already runs in this directory.
"""

import argparse
import os
import shutil
import signal
import socket
import sys
import threading

from foreshard_native import descriptor_limit, janitor, loopback
from foreshard_native.environment_record import EnvironmentRecord
from foreshard_native.host_file import HostFile
from foreshard_native.host_process import clean, prepare_environment, refuse

from foreshard_localstack import compatibility, host, settings

EXIT_INCOMPATIBLE = 3
EXIT_OCCUPIED = 4
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> int:
    """Run until a signal; the exit code."""
    arguments = _arguments()
    state_dir = os.path.abspath(arguments.state_dir)
    scratch = os.path.join(state_dir, "tmp")
    os.makedirs(scratch, exist_ok=True)
    host_file, record = HostFile(state_dir), EnvironmentRecord(state_dir)
    watcher = janitor.Janitor(record)
    problems = compatibility.problems()
    if problems:
        return refuse(EXIT_INCOMPATIBLE, "this LocalStack does not fit", problems)
    running = host_file.running()
    if running is not None:
        return refuse(EXIT_OCCUPIED, f"{state_dir} is in use", [f"by the host with process id {running['pid']}"])
    try:
        socket.create_server(("127.0.0.1", arguments.port)).close()
    except OSError as failure:
        return refuse(EXIT_OCCUPIED, f"port {arguments.port} cannot be opened", [str(failure)])
    clean(host_file, record, scratch, os.path.join(state_dir, "localstack"))
    wanted = settings.localstack_environment(arguments.port, state_dir, arguments.dynamodb)
    prepare_environment(scratch, settings.unwanted_variables, wanted)
    watcher.arm()
    _serve(arguments, host_file, record, scratch)
    return 0


def _serve(arguments: argparse.Namespace, host_file: HostFile, record: EnvironmentRecord, scratch: str) -> None:
    loopback.enforce()
    descriptor_limit.raise_to_hard_limit()
    host.announce(record, dict(arguments.function_variable))
    # Only now: these modules import LocalStack, which reads the environment then.
    from localstack.logging.setup import setup_logging_from_config
    from localstack.runtime import current, events

    from foreshard_localstack import caller_identity, gateway_bind, health, map_workers, request_limit, task_token

    gateway_bind.install("127.0.0.1")
    caller_identity.install()
    request_limit.install()
    map_workers.install()
    task_token.install()
    health.install({"status": "ready", "localstack": compatibility.LOCALSTACK_VERSION})
    setup_logging_from_config()

    def announce() -> None:
        events.infra_ready.wait()
        host_file.write(arguments.port)

    def stop(number, frame) -> None:
        # LocalStack's own way waits for pollers and thread pools; nothing that they do outlives this process.
        record.end_all()
        host_file.remove()
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(0)

    for number in _STOP_SIGNALS:
        signal.signal(number, stop)
    threading.Thread(target=announce, daemon=True).start()
    current.initialize_runtime().run()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="foreshard_localstack", description="LocalStack for Foreshard, on this machine only."
    )
    parser.add_argument("--port", type=int, default=4566, help="the port of all services (4566)")
    parser.add_argument("--state-dir", required=True, help="where the host keeps its files")
    parser.add_argument("--dynamodb", required=True, metavar="URL", help="the server that DynamoDB requests go to")
    parser.add_argument(
        "--function-variable", action="append", default=[], type=_pair, metavar="NAME=VALUE",
        help="a variable of every function that does not declare it itself",
    )  # fmt: skip
    return parser.parse_args()


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=VALUE")
    return name, value


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)
