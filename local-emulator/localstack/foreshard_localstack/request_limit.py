"""Answers a request that is too large for Lambda as API Gateway does, with 413; LocalStack says that the function failed."""

import json

from foreshard_native.environment import EVENT_BYTES_MAX
from localstack.services.apigateway.next_gen.execute_api.gateway_response import RequestTooLargeError
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration


def install() -> None:
    """Take the place of what makes the event of a request."""
    RestApiAwsProxyIntegration.create_lambda_input_event = _limited(
        RestApiAwsProxyIntegration.create_lambda_input_event
    )


def _limited(plain):
    def create_lambda_input_event(self, context):
        event = plain(self, context)
        if len(json.dumps(event)) > EVENT_BYTES_MAX:
            raise RequestTooLargeError("Request Too Long", status_code=413)
        return event

    return create_lambda_input_event
