"""Answers a request that is too large for Lambda as API Gateway does, with 413; MiniStack says that the function failed."""

import json

from ministack.services import apigateway_v1

_TOO_LARGE = "RequestEntityTooLargeException"


def install() -> None:
    """Take the place of what makes an answer of an invocation."""
    apigateway_v1._lambda_proxy_response = _worded(apigateway_v1._lambda_proxy_response)


def _worded(plain):
    def lambda_proxy_response(result: dict):
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == _TOO_LARGE:
            return {"statusCode": 413, "body": json.dumps({"message": "Request Too Long"})}, None
        return plain(result)

    return lambda_proxy_response
