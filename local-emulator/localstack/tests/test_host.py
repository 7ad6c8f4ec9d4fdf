"""A running LocalStack: functions as processes with their limits, callers of an API, sockets on this machine only."""

import json
import os
import unittest
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from foreshard_native import process_table
from foreshard_testing.machine import eventually, is_alive, listening

from tests.support import REGION, Host, shared_host


class Functions(unittest.TestCase):
    """Invocations, one after another, of functions with names of their own."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()

    def test_a_function_finds_what_aws_sets_and_nothing_of_the_hosts(self):
        self.host.deploy("variables", Environment={"Variables": {"OWN": "1"}})
        found = self.host.invoke("variables", {"do": "environment"})
        self.assertEqual((found["OWN"], found["FLAG"]), ("1", "from the host"))
        self.assertEqual(found["AWS_ENDPOINT_URL"], self.host.url)
        self.assertEqual(found["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256")
        self.assertFalse({"HOME", "PYTHONPATH", "LOCALSTACK_RUNTIME_ID", "EDGE_PORT"} & set(found))

    def test_a_warm_environment_serves_again(self):
        self.host.deploy("warm")
        first, second = (self.host.invoke("warm", {"do": "pid"})["pid"] for _ in range(2))
        self.assertEqual(first, second)

    def test_an_error_keeps_its_type(self):
        self.host.deploy("failing")
        failure = self.host.invoke("failing", {"do": "fail", "type": "OurWord", "message": "why"})
        self.assertEqual(failure, {"errorType": "OurWord", "errorMessage": "why"})

    def test_an_end_has_its_words_and_the_next_invocation_a_new_process(self):
        self.host.deploy("ending")
        before = self.host.invoke("ending", {"do": "pid"})["pid"]
        failure = self.host.invoke("ending", {"do": "exit", "status": 3})
        self.assertEqual(failure["errorType"], "Runtime.ExitError")
        self.assertIn("Runtime exited with error: exit status 3", failure["errorMessage"])
        self.assertNotEqual(self.host.invoke("ending", {"do": "pid"})["pid"], before)

    def test_a_timeout_is_the_functions_own(self):
        self.host.deploy("slow", Timeout=1)
        started = os.path.join(self.host.state_dir, "slow")
        failure = self.host.invoke("slow", {"do": "sleep", "seconds": 60, "started": started})
        self.assertEqual(failure["errorType"], "Sandbox.Timedout")
        self.assertIn("Task timed out after 1.00 seconds", failure["errorMessage"])

    def test_a_bootstrap_that_does_not_begin_says_why(self):
        self.host.deploy("rejected", Environment={"Variables": {"FAIL_INIT": "1"}})
        failure = self.host.invoke("rejected", {})
        self.assertEqual(failure, {"errorType": "Rejected", "errorMessage": "no configuration"})

    @unittest.skipUnless(process_table.AVAILABLE, "memory is limited where there is /proc")
    def test_memory_size_holds(self):
        self.host.deploy("small", MemorySize=128)
        children = self.host.invoke("small", {"do": "children"})
        failure = self.host.invoke("small", {"do": "allocate", "mebibytes": 400, "hold_s": 20})
        self.assertIn("signal: killed", failure["errorMessage"])
        for pid in (children["pid"], *children["children"]):
            self.assertFalse(is_alive(pid), f"{pid} outlived its environment")

    def test_the_log_has_what_was_printed_and_the_figures(self):
        self.host.deploy("logged")
        self.host.invoke("logged", {"do": "pid"})
        logs = self.host.client("logs")

        def messages():
            try:
                events = logs.filter_log_events(logGroupName="/aws/lambda/logged")["events"]
            except ClientError:
                return None
            return [event["message"].strip() for event in events]

        found = eventually(messages, 60, "the log")
        self.assertIn("handling pid", found)
        self.assertTrue(any("Max Memory Used: " in line and "Init Duration: " in line for line in found), found)


class Machines(unittest.TestCase):
    """Step Functions and the functions that it calls."""

    def test_an_errors_type_is_what_a_catch_sees(self):
        host = shared_host()
        host.deploy("caught")
        step = {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True,
            "Parameters": {"FunctionName": "caught", "Payload": {"do": "fail", "type": "OurWord"}},
            "Catch": [{"ErrorEquals": ["OurWord"], "Next": "Seen"}],
        }  # fmt: skip
        definition = {"StartAt": "Call", "States": {"Call": step, "Seen": {"Type": "Pass", "End": True}}}
        client = host.client("stepfunctions")
        machine = client.create_state_machine(
            name="catching", definition=json.dumps(definition), roleArn="arn:aws:iam::000000000000:role/test"
        )
        execution = client.start_execution(stateMachineArn=machine["stateMachineArn"], input="{}")["executionArn"]

        def ended():
            found = client.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        found = eventually(ended, 60, "the end of the execution")
        self.assertEqual((found["status"], json.loads(found["output"])["Error"]), ("SUCCEEDED", "OurWord"))


class Gateway(unittest.TestCase):
    """A REST API that hands everything to a function."""

    @classmethod
    def setUpClass(cls):
        cls.host = host = shared_host()
        host.deploy("behind")
        client = host.client("apigateway")
        api = client.create_rest_api(name="front")
        client.put_method(
            restApiId=api["id"], resourceId=api["rootResourceId"], httpMethod="ANY", authorizationType="AWS_IAM"
        )
        function = f"arn:aws:lambda:{REGION}:000000000000:function:behind"
        client.put_integration(
            restApiId=api["id"], resourceId=api["rootResourceId"], httpMethod="ANY", type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations",
        )  # fmt: skip
        client.create_deployment(restApiId=api["id"], stageName="v1")
        cls.url = f"{host.url}/_aws/execute-api/{api['id']}/v1/"

    def identity_of(self, key):
        """What the function is told of the caller."""
        request = AWSRequest("GET", self.url)
        if key:
            SigV4Auth(Credentials(key, "any secret"), "execute-api", REGION).add_auth(request)
        with urllib.request.urlopen(
            urllib.request.Request(self.url, headers=dict(request.headers)), timeout=60
        ) as answer:
            return json.loads(answer.read())

    def test_a_signed_request_has_a_caller_and_an_unsigned_one_has_none(self):
        signed = self.identity_of("111122223333")
        self.assertEqual(signed["accountId"], "111122223333")
        self.assertEqual(signed["userArn"], "arn:aws:iam::111122223333:user/111122223333")
        unsigned = self.identity_of(None)
        self.assertEqual((unsigned["accountId"], unsigned["userArn"]), (None, None))

    def test_a_request_that_lambda_does_not_take_is_too_large(self):
        request = urllib.request.Request(self.url, data=b"x" * 7_000_000, headers={"Content-Type": "text/plain"})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        refused.exception.close()
        self.assertEqual(refused.exception.code, 413)


class Machine(unittest.TestCase):
    """What this machine sees of the host."""

    def test_health(self):
        with urllib.request.urlopen(f"{shared_host().url}/_foreshard/health", timeout=60) as answer:
            self.assertEqual(json.loads(answer.read()), {"status": "ready", "localstack": "4.14.0"})

    @unittest.skipUnless(os.path.exists("/proc/net/tcp"), "reads the kernel's table of sockets")
    def test_every_listening_socket_is_local(self):
        host = shared_host()
        host.deploy("listening")
        host.invoke("listening", {})
        found = listening(host.process.pid)
        self.assertIn(("127.0.0.1", host.port), found)
        self.assertEqual({address for address, _ in found}, {"127.0.0.1"})

    def test_dynamodb_is_another_servers(self):
        host = shared_host()
        answer = host.client("dynamodb").list_tables(Limit=3)
        self.assertEqual(answer["TableNames"], ["DynamoDB_20120810.ListTables", "/", '{"Limit": 3}'])
        with self.assertRaises(ClientError) as refused:
            host.client("dynamodb").delete_table(TableName="t")
        self.assertEqual(refused.exception.response["Error"]["Code"], "ResourceNotFoundException")

    def test_a_signal_ends_everything(self):
        host = Host()
        host.deploy("parent")
        found = host.invoke("parent", {"do": "children"})
        processes = [found["pid"], *found["children"]]
        self.assertTrue(all(map(is_alive, processes)))
        self.assertEqual(host.stop(), 0)
        self.assertFalse(any(map(is_alive, processes)), "the host was gone before its environments")
        self.assertEqual(host.left, ["host.log", "localstack"])


if __name__ == "__main__":
    unittest.main()
