"""Makes LocalStack's gateway listen where it was told to; its server listens on every address of the machine."""

from localstack.runtime.server import twisted
from twisted.internet import endpoints


class _Endpoints:
    """The module of Twisted as LocalStack's server sees it."""

    def __init__(self, interface: str):
        self._interface = interface

    def __getattr__(self, name: str):
        return getattr(endpoints, name)

    def TCP4ServerEndpoint(self, reactor, port: int, **options):
        """The interface that LocalStack leaves out."""
        return endpoints.TCP4ServerEndpoint(reactor, port, **{**options, "interface": self._interface})


def install(interface: str) -> None:
    """Take the place of the endpoint's class."""
    twisted.endpoints = _Endpoints(interface)
