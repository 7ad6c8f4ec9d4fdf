"""Serves DynamoDB by handing every request on, because LocalStack's own is a Java program that must be downloaded."""

import http.client
import os
import threading
from urllib.parse import urlsplit

from localstack.aws.api import RequestContext
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.http import Response
from localstack.services.plugins import Service, aws_provider
from rolo.request import restore_payload

from foreshard_localstack.names import DYNAMODB_ENDPOINT, DYNAMODB_PROVIDER

_TIMEOUT_S = 60
# They are about the connection, and this is another one.
_HOP_HEADERS = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding"})


class Forwarder:
    """Connections to the other server: one for each of LocalStack's threads, kept open."""

    def __init__(self, endpoint: str):
        self._address = urlsplit(endpoint).netloc
        self._here = threading.local()

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Response:
        """The other server's answer as it is.

        # Errors
        OSError, http.client.HTTPException when it does not answer.
        """
        kept = {name: value for name, value in headers if name.lower() not in _HOP_HEADERS}
        try:
            return self._exchange(self._connection(), method, path, kept, body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # It had closed an idle connection before it read the request: nothing was done.
            self._here.connection = None
            return self._exchange(self._connection(), method, path, kept, body)

    def _connection(self) -> http.client.HTTPConnection:
        connection = getattr(self._here, "connection", None)
        if connection is None:
            connection = self._here.connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT_S)
        return connection

    @staticmethod
    def _exchange(connection, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        returned = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_HEADERS}
        return Response(content, status=answer.status, headers=returned)


class ForwardingSkeleton(Skeleton):
    """Takes the place of LocalStack's dispatch: nothing is parsed or written a second time."""

    def __init__(self, service: str, forwarder: Forwarder):
        model = load_service(service)
        super().__init__(model, dict.fromkeys(model.operation_names))
        self._forwarder = forwarder

    def invoke(self, context: RequestContext) -> Response:
        """Hand the request on."""
        request = context.request
        body = restore_payload(request)
        return self._forwarder.forward(request.method, request.path, list(request.headers.items()), body)


@aws_provider(api="dynamodb", name=DYNAMODB_PROVIDER)
def dynamodb() -> Service:
    """The entry point in pyproject.toml."""
    return Service("dynamodb", skeleton=ForwardingSkeleton("dynamodb", Forwarder(os.environ[DYNAMODB_ENDPOINT])))
