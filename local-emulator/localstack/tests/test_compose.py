"""The compose file says what Docker is to do, as far as that can be seen without Docker."""

import os
import re
import unittest

import jsonschema
import yaml
from foreshard_localstack.compatibility import LOCALSTACK_VERSION
from foreshard_testing.machine import contents

from tests.support import FOLDER

# The part of the Compose Specification that the file uses; what is misspelt or misplaced is not in it.
_SERVICE = {
    "type": "object",
    "required": ["image"],
    "additionalProperties": False,
    "properties": {
        "image": {"type": "string"},
        "ports": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "environment": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
        "volumes": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "test": {"type": ["string", "array"], "items": {"type": "string"}},
                "interval": {"type": "string"},
                "retries": {"type": "number"},
            },
        },
    },
}
_FILE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {"type": "object", "additionalProperties": _SERVICE},
        "volumes": {"type": "object", "additionalProperties": {"type": ["object", "null"]}},
    },
}


class Compose(unittest.TestCase):
    """One service."""

    def setUp(self):
        self.file = yaml.safe_load(contents(os.path.join(FOLDER, "compose.yaml")))
        self.service = self.file["services"]["localstack"]

    def test_it_is_a_compose_file(self):
        jsonschema.validate(self.file, _FILE)
        named = {volume.split(":")[0] for volume in self.service["volumes"] if not volume.startswith("/")}
        self.assertEqual(named, set(self.file["volumes"]))

    def test_the_schema_finds_a_misspelt_word(self):
        self.service["port"] = self.service.pop("ports")
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(self.file, _FILE)

    def test_every_port_is_on_loopback(self):
        self.assertTrue(self.service["ports"])
        for port in self.service["ports"]:
            self.assertRegex(port, r"^127\.0\.0\.1:\d+:\d+$")

    def test_the_image_is_the_release_that_host_mode_runs(self):
        self.assertEqual(self.service["image"].rpartition(":")[2], LOCALSTACK_VERSION)

    def test_the_token_comes_from_the_environment_and_must_be_there(self):
        token = self.service["environment"]["LOCALSTACK_AUTH_TOKEN"]
        self.assertRegex(token, r"^\$\{LOCALSTACK_AUTH_TOKEN:\?.+\}$")

    def test_functions_get_what_localstack_needs_of_them(self):
        flags = self.service["environment"]["LAMBDA_DOCKER_FLAGS"]
        given = dict(re.findall(r"-e ([A-Z_]+)=(\S+)", flags))
        self.assertEqual(given["FORESHARD_SCHEDULES"], "rules")
        self.assertRegex(given["FORESHARD_LOCAL_IDENTITY"], r"^\d{12}\|arn:aws:iam::\d{12}:user/\w+$")


if __name__ == "__main__":
    unittest.main()
