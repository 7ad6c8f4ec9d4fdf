"""What API Gateway itself answers, before or instead of the function."""

import json
import unittest
import urllib.error
import urllib.request

from tests.support import REGION, shared_host

_ACCOUNT = "000000000000"


class Gateway(unittest.TestCase):
    """One REST API whose only route is answered by an echoing function."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()
        cls.host.deploy("behind")
        client = cls.host.client("apigateway")
        api = client.create_rest_api(name="front")["id"]
        root = client.get_resources(restApiId=api)["items"][0]["id"]
        where = {"restApiId": api, "resourceId": root, "httpMethod": "POST"}
        client.put_method(**where, authorizationType="NONE")
        function = f"arn:aws:lambda:{REGION}:{_ACCOUNT}:function:behind"
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
        client.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
        client.create_deployment(restApiId=api, stageName="v1")
        cls.url = f"http://127.0.0.1:{cls.host.port}/restapis/{api}/v1/_user_request_/"

    def post(self, body):
        """Status and parsed body."""
        request = urllib.request.Request(self.url, data=body, headers={"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read() or b"null")

    def test_a_request_above_six_megabytes_is_too_long(self):
        self.assertEqual(self.post(b"x" * 7_000_000), (413, {"message": "Request Too Long"}))
        self.assertEqual(self.post(b"{}")[0], 200)
