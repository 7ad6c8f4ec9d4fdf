"""Signs what Schemathesis sends, as every caller of the API must."""

import os

import schemathesis
from requests_aws4auth import AWS4Auth

schemathesis.auth.set_from_requests(
    AWS4Auth(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_REGION"], "execute-api")
)
