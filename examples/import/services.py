"""Calls an AWS service by the name that Step Functions has for the call: the function of `foreshard import --services`."""

import base64
import datetime
import json

import boto3
from botocore import xform_name

# Names of Step Functions' own integrations and of its SDK integrations that the SDK for Python has otherwise.
SERVICES = {"sfn": "stepfunctions", "states": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}


def handler(event, _context):
    """Takes `{resource, parameters}`, such as `dynamodb:getItem`, and gives what the service answers."""
    service, action = event["resource"].removeprefix("aws-sdk:").split(":")
    client = boto3.client(named(service, action))
    method = xform_name(action)
    operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    answer = getattr(client, method)(**given(event["parameters"], operation.input_shape))
    answer.pop("ResponseMetadata", None)
    return told(answer, operation.output_shape)


def named(service, action):
    """The service as the SDK for Python names it: `bedrock-runtime` is `bedrockruntime` to Step Functions."""
    if (service, action) == ("bedrock", "invokeModel"):
        return "bedrock-runtime"
    known = boto3.session.Session().get_available_services()
    same = (name for name in known if name.replace("-", "") == service)
    return SERVICES.get(service) or next(same, service)


def given(value, shape):
    """What the service takes: names as it writes them, and texts where it wants a text and was given an object."""
    kind = shape.type_name if shape else None
    if kind == "structure" and isinstance(value, dict):
        known = {name.lower(): name for name in shape.members}
        pairs = ((known.get(name.lower(), name), part) for name, part in value.items())
        return {name: given(part, shape.members.get(name)) for name, part in pairs}
    if kind == "list" and isinstance(value, list):
        return [given(part, shape.member) for part in value]
    if kind == "map" and isinstance(value, dict):
        return {name: given(part, shape.value) for name, part in value.items()}
    if kind == "string" and not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"))
    return value


def told(value, shape):
    """What Step Functions would give: names that begin with a capital, and only what JSON has."""
    kind = shape.type_name if shape else None
    if kind == "structure" and isinstance(value, dict):
        return {name[:1].upper() + name[1:]: told(part, shape.members.get(name)) for name, part in value.items()}
    if kind == "list":
        return [told(part, shape.member) for part in value]
    if kind == "map":
        return {name: told(part, shape.value) for name, part in value.items()}
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return value.read().decode()
    return value
