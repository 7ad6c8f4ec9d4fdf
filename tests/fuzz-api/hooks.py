"""Signs what Schemathesis sends, as every caller of the API must."""

import os

import schemathesis
from requests_aws4auth import AWS4Auth


class Signature(AWS4Auth):
    """The signature, also over headers that hold an unpaired quotation mark, which the package cannot read."""

    @staticmethod
    def amz_norm_whitespace(text):
        """One space for many, as the canonical request has it."""
        return " ".join(text.split())


schemathesis.auth.set_from_requests(
    Signature(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_REGION"], "execute-api")
)
