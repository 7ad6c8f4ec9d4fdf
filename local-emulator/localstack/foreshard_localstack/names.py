"""Names under which LocalStack finds our plugins; pyproject.toml has the same, and a test compares them."""

EXECUTOR = "foreshard"
DYNAMODB_PROVIDER = "foreshard"
# Variable that says where the server is that DynamoDB requests go to.
DYNAMODB_ENDPOINT = "FORESHARD_DYNAMODB_ENDPOINT"
