"""Starts LocalStack as Foreshard needs it: on this machine only, native Lambda functions, a DynamoDB without Java."""
