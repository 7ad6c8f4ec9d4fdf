"""Keeps the emulator on this machine: no socket of this process listens elsewhere or reaches elsewhere.

MiniStack has more listeners and more clients than Foreshard uses, and each has settings of its own; an audit hook
sees all of them, and it cannot be taken off again.
"""

import ipaddress
import socket
import sys

_ADDRESS_EVENTS = frozenset({"socket.bind", "socket.connect", "socket.sendto"})
_LOCAL_NAMES = frozenset({"localhost", ""})


class NotLoopback(PermissionError):
    """An address outside this machine was asked for."""


def enforce() -> None:
    """From now on, for the life of the process."""
    sys.addaudithook(_hook)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine and nobody else can reach it there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _hook(event: str, arguments: tuple) -> None:
    if event in _ADDRESS_EVENTS:
        handle, address = arguments
        if handle.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(str(address[0])):
            raise NotLoopback(f"{event} {address[0]}: the emulator stays on this machine")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and name not in _LOCAL_NAMES and not is_loopback(name):
            raise NotLoopback(f"{event} {name}: the emulator stays on this machine")
