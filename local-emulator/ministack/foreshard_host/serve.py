"""Runs the application until a signal, and ends all environments before the process goes."""

import asyncio
import contextlib
import signal
import socket

from foreshard_host.http_server import Connection

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def listen(port: int) -> socket.socket:
    """The one public socket, on this machine only; port 0 takes a free one.

    # Errors
    OSError when the port is taken.
    """
    return socket.create_server(("127.0.0.1", port), backlog=1024, reuse_port=False)


def serve(app, listener: socket.socket, on_ready, on_stop) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP.

    `on_ready` is called when requests are answered, `on_stop` when none is accepted any more. The loop is not closed:
    that would wait for requests that wait for functions. The caller ends the process.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_serve(app, listener, on_ready, on_stop))


async def _serve(app, listener: socket.socket, on_ready, on_stop) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    async with _lifespan(app):
        server = await loop.create_server(lambda: Connection(app), sock=listener)
        on_ready()
        await stopped.wait()
        server.close()
        on_stop()


@contextlib.asynccontextmanager
async def _lifespan(app):
    """Tell the application that it starts, and that it ends."""
    to_app: asyncio.Queue = asyncio.Queue()
    from_app: asyncio.Queue = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, to_app.get, from_app.put))
    await _ask(to_app, from_app, task, "startup")
    yield
    await _ask(to_app, from_app, task, "shutdown")


async def _ask(to_app: asyncio.Queue, from_app: asyncio.Queue, task: asyncio.Task, phase: str) -> None:
    await to_app.put({"type": f"lifespan.{phase}"})
    answer = asyncio.create_task(from_app.get())
    await asyncio.wait({answer, task}, return_when=asyncio.FIRST_COMPLETED)
    if not answer.done() or answer.result()["type"] != f"lifespan.{phase}.complete":
        answer.cancel()
        raise RuntimeError(f"the emulator did not complete its {phase}")
