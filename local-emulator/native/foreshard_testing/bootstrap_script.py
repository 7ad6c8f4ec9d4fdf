"""A native bootstrap: does what its event asks for, and says how it went in the words of the Lambda Runtime API.

It is packaged with a shebang, and speaks HTTP by hand because the interpreter's own client takes longer to load than
everything else here.
"""

import json
import os
import socket
import subprocess
import sys
import time

MIB = 1024 * 1024
SELF = os.path.abspath(__file__)


class TypedError(Exception):
    """Fails the invocation with an error type of the event's choice."""


def receive(connection):
    """Head and body of one response."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or sys.exit(0)
    head, _, body = data.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    while len(body) < int(headers[b"content-length"]):
        body += connection.recv(1 << 20)
    return headers, body


def post(connection, path, value):
    """One request with a JSON body."""
    body = json.dumps(value).encode()
    head = f"POST /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: runtime\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return receive(connection)


def allocate(mebibytes):
    """Hold so much memory, touched."""
    held = bytearray(mebibytes * MIB)
    held[::4096] = b"x" * len(held[::4096])
    return held


def child(*arguments, first_to_die=False):
    """Another process of this environment."""
    process = subprocess.Popen([sys.executable, "-I", "-S", SELF, *map(str, arguments)], start_new_session=False)
    if first_to_die:
        with open(f"/proc/{process.pid}/oom_score_adj", "w", encoding="ascii") as score:
            score.write("1000")
    return process


def process_memory(pid):
    """Resident mebibytes."""
    with open(f"/proc/{pid}/statm", "rb") as statm:
        return int(statm.read().split()[1]) * 4096 // MIB


def handle(event):
    """What the event asks for."""
    if not isinstance(event, dict):
        return event
    if "requestContext" in event:
        return {"statusCode": 200, "body": json.dumps(event["requestContext"]["identity"])}
    print("handling", event.get("do", "echo"), flush=True)
    action = event.get("do", "echo")
    if action == "environment":
        return dict(os.environ)
    if action == "pid":
        return {"pid": os.getpid(), "init": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]}
    if action == "fail":
        raise TypedError(event["type"], event.get("message", "as asked"))
    if action == "fail_until":
        # The file counts attempts over invocations, whichever environment serves them.
        with open(event["file"], "a+", encoding="ascii") as attempts:
            attempts.write("x")
            attempts.flush()
            if os.path.getsize(event["file"]) < event["attempts"]:
                raise TypedError(event["type"], "not yet")
        return "at last"
    if action == "exit":
        os._exit(event["status"])
    if action == "sleep":
        with open(event["started"], "w", encoding="ascii") as started:
            started.write(str(os.getpid()))
        time.sleep(event["seconds"])
        return "slept"
    if action == "large":
        return "x" * event["bytes"]
    if action == "allocate":
        return len(allocate(event["mebibytes"])) and time.sleep(event.get("hold_s", 0))
    if action == "child_allocate":
        return {"status": child("allocate", event["mebibytes"], first_to_die=True).wait(), "pid": os.getpid()}
    if action == "leave_child":
        process = child("allocate", event["mebibytes"], first_to_die=True)
        while process_memory(process.pid) < event["mebibytes"]:
            time.sleep(0.005)
        return {"pid": process.pid}
    if action == "children":
        return {"pid": os.getpid(), "children": [child("sleep").pid, child("session").pid]}
    return event


def serve():
    """The loop of every custom runtime."""
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    connection = socket.create_connection((host, int(port)))
    if os.environ.get("FAIL_INIT"):
        post(connection, "init/error", {"errorType": "Rejected", "errorMessage": "no configuration"})
        sys.exit(1)
    while True:
        connection.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n")
        headers, body = receive(connection)
        request_id = headers[b"lambda-runtime-aws-request-id"].decode()
        try:
            post(connection, f"invocation/{request_id}/response", handle(json.loads(body)))
        except TypedError as failure:
            error = {"errorType": failure.args[0], "errorMessage": failure.args[1]}
            post(connection, f"invocation/{request_id}/error", error)


if __name__ == "__main__":
    if sys.argv[1:2] == ["allocate"]:
        held_for_ever = allocate(int(sys.argv[2]))
        time.sleep(60)
    elif sys.argv[1:2] == ["sleep"]:
        time.sleep(600)
    elif sys.argv[1:2] == ["session"]:
        os.setsid()
        time.sleep(600)
    else:
        serve()
