"""Hands a caller on to the function behind a REST API, as API Gateway does where a method asks for IAM; LocalStack never does.

Nothing is verified, as nothing is anywhere in LocalStack: the access key names the account. A request without a
signature has no caller, so the function refuses it as on AWS.
"""

from localstack.aws.accounts import get_account_id_from_access_key_id
from localstack.services.apigateway.next_gen.execute_api.handlers.parse import InvocationRequestParser
from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header

_ALGORITHM = "AWS4-HMAC-SHA256 "


def install() -> None:
    """Take the place of what makes `$context`."""
    plain = InvocationRequestParser.create_context_variables

    def create_context_variables(context):
        variables = plain(context)
        variables["identity"].update(caller_of(context.invocation_request["headers"]))
        return variables

    InvocationRequestParser.create_context_variables = staticmethod(create_context_variables)


def caller_of(headers) -> dict[str, str]:
    """The members of `$context.identity` that are about the caller; empty without a signature."""
    if not headers.get("Authorization", "").startswith(_ALGORITHM):
        return {}
    key = extract_access_key_id_from_auth_header(headers)
    if not key:
        return {}
    account = get_account_id_from_access_key_id(key)
    arn = f"arn:aws:iam::{account}:user/{key}"
    return {"accountId": account, "accessKey": key, "caller": key, "user": key, "userArn": arn}
