"""Starts a host, with a server of ours as its DynamoDB, and deploys the bootstrap script to it."""

import atexit
import functools
import http.server
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading

import botocore.session
from botocore.config import Config
from foreshard_testing.machine import contents, eventually, free_port
from foreshard_testing.package import package

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REGION = "us-east-1"
ROLE = "arn:aws:iam::000000000000:role/test"
# LocalStack imports for a dozen seconds of a core, and its first request of a service loads that service.
START_LIMIT_S = 300
CALL_LIMIT_S = 120


class Table(http.server.ThreadingHTTPServer):
    """Stands for DynamoDB: answers what was asked of it, and counts connections."""

    daemon_threads = True

    def __init__(self, address=("127.0.0.1", 0)):
        super().__init__(address, _TableHandler)
        self.connections = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _TableHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.server.connections += 1

    def log_message(self, *_):
        """Says nothing."""

    def do_POST(self):
        """The request, as the answer; a request that wants the connection to end gets its wish without being told."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers.get("X-Amz-Target", "")
        refused = target.endswith("DeleteTable")
        answer = {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no such table"}
        if not refused:
            answer = {"TableNames": [target, self.path, body.decode()]}
        text = json.dumps(answer).encode()
        self.send_response(400 if refused else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.close_connection = b"last" in body


def launch(state_dir, port, dynamodb, *arguments, environment=None):
    """The host's process; its log is in `host.log`."""
    with open(os.path.join(state_dir, "host.log"), "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "foreshard_localstack", "--port", str(port), "--state-dir", state_dir,
             "--dynamodb", dynamodb, *arguments],
            cwd=FOLDER,
            env={**os.environ, **(environment or {})},
            stderr=log,
            stdout=log,
        )  # fmt: skip


class Host:
    """A running emulator in a directory of its own."""

    def __init__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="foreshard-localstack-")
        self.state_dir = self._temporary.name
        self.port = free_port()
        self.table = Table()
        self.process = launch(self.state_dir, self.port, self.table.url, "--function-variable", "FLAG=from the host")
        eventually(self._is_ready, START_LIMIT_S, "the host's start")
        self._session = botocore.session.get_session()

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the host exited with {self.process.returncode}: {self.log()}")
        announced = contents(os.path.join(self.state_dir, "host.json"))
        return announced and json.loads(announced)["pid"] == self.process.pid

    @property
    def url(self):
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def log(self):
        """What it wrote."""
        return contents(os.path.join(self.state_dir, "host.log"))

    def client(self, service, key="test"):
        """A client of one service of this host."""
        config = Config(retries={"max_attempts": 0}, read_timeout=CALL_LIMIT_S, parameter_validation=False)
        return self._session.create_client(
            service, region_name=REGION, endpoint_url=self.url, config=config,
            aws_access_key_id=key, aws_secret_access_key="test",
        )  # fmt: skip

    def stop(self, number=signal.SIGTERM):
        """Send the signal and wait for the end; twice is once."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(CALL_LIMIT_S)
        self.table.shutdown()
        self.left = sorted(os.listdir(self.state_dir))
        self._temporary.cleanup()
        return status

    def deploy(self, name, **settings):
        """A function of the bootstrap script."""
        self.client("lambda").create_function(
            **{
                "FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": ROLE,
                "Code": {"ZipFile": package()}, "Timeout": 30, "MemorySize": 256, **settings,
            }
        )  # fmt: skip
        return name

    def invoke(self, name, event, **options):
        """The parsed payload; a failed function's payload holds `errorType`."""
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), **options)
        return json.loads(answer["Payload"].read())


@functools.cache
def shared_host():
    """One host for all tests that leave it as they found it; each has functions of its own names."""
    host = Host()
    atexit.register(host.stop)
    return host
