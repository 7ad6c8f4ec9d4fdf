"""`python -m foreshard_host --port 4566 --state-dir DIR`: checks, cleans up after a predecessor, patches, serves.

Exit codes: 0 stopped by a signal; 2 wrong arguments; 3 MiniStack is not the one that this was written for;
4 the port is taken, or a host already runs in this directory.
"""

import argparse
import os
import shutil
import sys

from foreshard_native import descriptor_limit, janitor, loopback
from foreshard_native.environment_record import EnvironmentRecord
from foreshard_native.host_file import HostFile
from foreshard_native.host_process import clean, prepare_environment, refuse

from foreshard_host import compatibility, settings

EXIT_INCOMPATIBLE = 3
EXIT_OCCUPIED = 4


def main() -> int:
    """Run until a signal; the exit code."""
    arguments = _arguments()
    state_dir = os.path.abspath(arguments.state_dir)
    scratch = os.path.join(state_dir, "tmp")
    os.makedirs(scratch, exist_ok=True)
    host_file, record = HostFile(state_dir), EnvironmentRecord(state_dir)
    watcher = janitor.Janitor(record)
    prepare_environment(
        scratch, settings.unwanted_variables, settings.ministack_environment(arguments.port, state_dir)
    )
    problems = compatibility.problems()
    if problems:
        return refuse(EXIT_INCOMPATIBLE, "this MiniStack does not fit", problems)
    running = host_file.running()
    if running is not None:
        return refuse(EXIT_OCCUPIED, f"{state_dir} is in use", [f"by the host with process id {running['pid']}"])
    clean(host_file, record, scratch)
    watcher.arm()
    try:
        return _run(arguments.port, host_file, record)
    finally:
        record.end_all()
        host_file.remove()
        shutil.rmtree(scratch, ignore_errors=True)


def _run(port: int, host_file: HostFile, record: EnvironmentRecord) -> int:
    loopback.enforce()
    # Only now: these modules import MiniStack, which reads the environment then.
    from foreshard_host import serve
    from foreshard_host.patches import patched_application

    try:
        listener = serve.listen(port)
    except OSError as failure:
        return refuse(EXIT_OCCUPIED, f"port {port} cannot be opened", [str(failure)])
    descriptor_limit.raise_to_hard_limit()
    app = patched_application(record)
    serve.serve(app, listener, on_ready=lambda: host_file.write(port), on_stop=record.end_all)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="foreshard_host", description="MiniStack for Foreshard, on this machine only."
    )
    parser.add_argument("--port", type=int, default=4566, help="the port of all services (4566)")
    parser.add_argument("--state-dir", required=True, help="where the host keeps its files")
    return parser.parse_args()


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # Threads of unfinished executions wait for tokens for up to a day; an ordinary exit would wait for them.
    os._exit(status)
