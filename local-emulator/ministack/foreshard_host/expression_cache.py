"""Reads each DynamoDB expression once: MiniStack parses it again for every item that a query looks at."""

import functools

from ministack.services import dynamodb

EXPRESSIONS_MAX = 1024


def install() -> None:
    """Take the place of two functions of the text alone."""
    dynamodb._condition_syntax_error = functools.lru_cache(EXPRESSIONS_MAX)(dynamodb._condition_syntax_error)
    tokens_of = functools.lru_cache(EXPRESSIONS_MAX)(dynamodb._tokenize)
    dynamodb._tokenize = lambda expression: list(tokens_of(expression))  # callers may change their list
