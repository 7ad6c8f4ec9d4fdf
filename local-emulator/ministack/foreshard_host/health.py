"""Answers GET /_foreshard/health when the emulator can be used, so that whoever starts it need not guess."""

import json

PATH = "/_foreshard/health"


def with_health(app, description: dict):
    """The ASGI application with one more path, which says what runs here."""
    body = json.dumps(description).encode()

    async def application(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != PATH:
            await app(scope, receive, send)
            return
        status, answer = (200, body) if scope["method"] in ("GET", "HEAD") else (405, b"")
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer, "more_body": False})

    return application
