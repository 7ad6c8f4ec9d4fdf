"""Requests cut from a byte stream, and the emulator's front door."""

import http.client
import os
import re
import socket
import unittest

from foreshard_native.http_message import BadMessage, MessageReader

from tests.support import shared_host


def read(*pieces, body_bytes_max=1000):
    """`method target body` of each request in the pieces."""
    reader = MessageReader(body_bytes_max)
    messages = [message for piece in pieces for message in reader.feed(piece)]
    return [f"{one.method} {one.target.decode()} {one.body.decode()}" for one in messages]


class Reader(unittest.TestCase):
    """Bytes in, requests out."""

    def test_one_byte_at_a_time_gives_the_same(self):
        stream = (
            b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
            b"POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
            b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nTrailer: t\r\n\r\n"
            b"POST /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        expected = ["GET /a ", "POST /b abc", "POST /c abc", "POST /d "]
        self.assertEqual(read(stream), expected)
        self.assertEqual(read(*(stream[i : i + 1] for i in range(len(stream)))), expected)

    def test_what_cannot_be_answered_is_refused_with_its_status(self):
        for stream, status in (
            (b"nonsense\r\n\r\n", 400),
            (b"GET / HTTP/2.0\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3ea\r\n" + b"x" * 1002 + b"\r\n", 413),
            (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000, 431),
        ):
            with self.assertRaises(BadMessage) as refused:
                read(stream)
            self.assertEqual(refused.exception.status, status, stream[:60])

    def test_a_client_that_waits_is_told_once_to_go_on(self):
        reader = MessageReader(1000)
        head = b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        self.assertEqual(reader.feed(head), [])
        self.assertEqual((reader.takes_continue(), reader.takes_continue()), (True, False))
        self.assertEqual(len(reader.feed(b"x" + head + b"y")), 2)
        self.assertFalse(reader.takes_continue(), "the second body came with its head")


class FrontDoor(unittest.TestCase):
    """The server under real clients."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()
        cls.s3 = cls.host.client("s3")
        cls.s3.create_bucket(Bucket="door")

    def test_large_objects_ranges_and_heads(self):
        body = os.urandom(7_000_000)
        self.s3.put_object(Bucket="door", Key="large", Body=body)
        self.assertEqual(self.s3.get_object(Bucket="door", Key="large")["Body"].read(), body)
        part = self.s3.get_object(Bucket="door", Key="large", Range="bytes=1000-1999")
        self.assertEqual((part["Body"].read(), part["ContentRange"]), (body[1000:2000], "bytes 1000-1999/7000000"))
        self.assertEqual(self.s3.head_object(Bucket="door", Key="large")["ContentLength"], 7_000_000)

    def test_presigned_requests(self):
        for method in ("put_object", "get_object"):
            url = self.s3.generate_presigned_url(method, Params={"Bucket": "door", "Key": "signed"}, ExpiresIn=60)
            connection = http.client.HTTPConnection("127.0.0.1", self.host.port, timeout=5)
            self.addCleanup(connection.close)
            path = url.partition(str(self.host.port))[2]
            connection.request(method[:3].upper(), path, body=b"text" if method == "put_object" else None)
            answer = connection.getresponse()
            self.assertEqual(answer.status, 200)
            content = answer.read()
        self.assertEqual(content, b"text")

    def test_pipelined_requests_are_answered_in_order(self):
        with socket.create_connection(("127.0.0.1", self.host.port), timeout=5) as connection:
            one = b"GET /_foreshard/health HTTP/1.1\r\nHost: x\r\n\r\n"
            other = b"POST /_foreshard/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            connection.sendall(one + one + other)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+)", answer), [b"200", b"200", b"405"])

    def test_a_malformed_request_is_refused_and_the_connection_closed(self):
        with socket.create_connection(("127.0.0.1", self.host.port), timeout=5) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "))


if __name__ == "__main__":
    unittest.main()
