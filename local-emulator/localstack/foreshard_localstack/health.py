"""Answers GET /_foreshard/health when the emulator can be used, as our other emulator does."""

import json

from localstack.http import Response
from localstack.services.edge import ROUTER

PATH = "/_foreshard/health"


def install(description: dict) -> None:
    """One more path of the gateway, which says what runs here."""
    body = json.dumps(description)
    ROUTER.add(PATH, lambda request: Response(body, mimetype="application/json"), methods=["GET"])
