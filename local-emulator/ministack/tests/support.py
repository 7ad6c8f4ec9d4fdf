"""Starts hosts, deploys the bootstrap script to them, and waits for what should become true."""

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile

import botocore.session
from botocore.config import Config
from foreshard_testing.machine import contents, eventually, free_port
from foreshard_testing.package import package

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The code that the hosts of both emulators share; on the path of this process and of every host that it starts.
NATIVE = os.path.join(os.path.dirname(FOLDER), "native")
REGION = "us-east-1"
ROLE = "arn:aws:iam::000000000000:role/test"
# It needs two seconds of a core; a machine that does much else gives it a small share of one.
START_LIMIT_S = 120


def launch(state_dir, port, environment=None):
    """The host's process; its log is in `host.log`."""
    with open(os.path.join(state_dir, "host.log"), "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "foreshard_host", "--port", str(port), "--state-dir", state_dir],
            cwd=FOLDER,
            env={**os.environ, **(environment or {})},
            stderr=log,
            stdout=log,
        )


class Host:
    """A running emulator in a directory of its own."""

    def __init__(self, state_dir=None, environment=None):
        self._temporary = None
        if state_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="foreshard-host-")
            state_dir = self._temporary.name
        self.state_dir = state_dir
        self.port = free_port()
        self.process = launch(state_dir, self.port, environment)
        eventually(self._is_ready, START_LIMIT_S, "the host's start")
        session = botocore.session.get_session()
        session.set_credentials("test", "test")
        self._session = session

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the host exited with {self.process.returncode}: {self.log()}")
        announced = contents(os.path.join(self.state_dir, "host.json"))
        return announced and json.loads(announced)["pid"] == self.process.pid

    def log(self):
        """What it wrote to stderr."""
        return contents(os.path.join(self.state_dir, "host.log"))

    def client(self, service, **credentials):
        """A client of one service of this host."""
        return self._session.create_client(
            service,
            region_name=REGION,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            config=Config(
                retries={"max_attempts": 0},
                read_timeout=30,
                s3={"addressing_style": "path"},
                parameter_validation=False,  # the host is tested, not the client
            ),
            **credentials,
        )

    def stop(self, number=signal.SIGTERM):
        """Send the signal and wait for the end; twice is once."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(START_LIMIT_S)
        if self._temporary is not None:
            eventually(lambda: not os.path.exists(os.path.join(self.state_dir, "environments.jsonl")), 5)
            self._temporary.cleanup()
        return status

    def deploy(self, name, **settings):
        """A function of the bootstrap script."""
        client = self.client("lambda")
        client.create_function(
            **{
                "FunctionName": name,
                "Runtime": "provided.al2023",
                "Handler": "bootstrap",
                "Role": ROLE,
                "Code": {"ZipFile": package()},
                "Timeout": 10,
                "MemorySize": 256,
                **settings,
            }
        )
        return name

    def invoke(self, name, event, **options):
        """The parsed payload; a failed function's payload holds `errorType`."""
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), **options)
        return json.loads(answer["Payload"].read())

    def start_execution(self, machine_name, definition, value=None, **options):
        """Deploy a state machine and start it; the ARN of the execution."""
        client = self.client("stepfunctions")
        machine = client.create_state_machine(name=machine_name, definition=json.dumps(definition), roleArn=ROLE)
        arn = machine["stateMachineArn"]
        return client.start_execution(stateMachineArn=arn, input=json.dumps(value or {}), **options)["executionArn"]

    def history(self, execution):
        """All events of an execution, in order."""
        client = self.client("stepfunctions")
        return client.get_execution_history(executionArn=execution, maxResults=1000)["events"]

    def finish_execution(self, arn, timeout_s=10.0):
        """DescribeExecution once it runs no more."""
        client = self.client("stepfunctions")

        def ended():
            execution = client.describe_execution(executionArn=arn)
            return execution if execution["status"] != "RUNNING" else None

        return eventually(ended, timeout_s, "the end of the execution")


@functools.cache
def shared_host():
    """One host for all tests that leave it as they found it; each has functions and machines of its own names."""
    host = Host()
    atexit.register(host.stop)
    return host


def task(function, **fields):
    """A state that invokes a function with its whole input and ends the machine."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "End": True,
        **fields,
    }
