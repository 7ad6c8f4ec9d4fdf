"""What is measured of a start, and when a promise counts as broken."""

import os
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import measure
from runtime_api import NotPolled

POLL = """
import os, socket, sys
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
connection = socket.create_connection((host, int(port)))
connection.sendall(b"GET /2018-06-01/runtime/%s HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n")
connection.recv(1)
"""


class Program:
    """A program for this Python, in a file that can be started."""

    def __init__(self, text: str):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "bootstrap")
        self.path.write_text(f"#!{sys.executable}\n{text}")
        self.path.chmod(0o755)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_):
        self.folder.cleanup()


class Starting(unittest.TestCase):
    def test_a_start_is_measured_up_to_its_first_poll(self):
        with Program(POLL % "invocation/next") as path:
            row = measure.measure("submit", path, starts=2)
        self.assertEqual(row.starts, 2)
        self.assertGreater(row.cpu_least_ms, 0)
        self.assertGreaterEqual(row.cpu_most_ms, row.cpu_ms)
        self.assertGreater(row.resident_mb, row.anonymous_mb)

    def test_both_starts_of_a_process_that_starts_itself_again_count(self):
        again = "import os, sys, time\nwhile time.process_time_ns() < 150_000_000: pass\n"
        with Program(f"{again}os.execv(sys.executable, [sys.executable, '-c', {POLL % 'invocation/next'!r}])") as path:
            row = measure.measure("execute", path, starts=1)
        self.assertGreater(row.cpu_ms, 150)

    def test_another_request_is_said(self):
        with Program(POLL % "init/error") as path, self.assertRaisesRegex(NotPolled, "plan: the first request is .*init/error"):
            measure.measure("plan", path, starts=1)

    def test_an_end_before_the_poll_is_said_with_what_was_printed(self):
        with Program("raise SystemExit('`FORESHARD_TABLE` is missing')") as path:
            with self.assertRaisesRegex(NotPolled, "ended before it asked for an event\n`FORESHARD_TABLE` is missing"):
                measure.measure("plan", path, starts=1)

    def test_nothing_is_left_running(self):
        with Program("import os, time\nos.write(1, b'%d' % os.getpid())\n" + POLL % "invocation/next") as path:
            with tempfile.TemporaryFile() as log:
                measure.start(path, log.fileno())
                log.seek(0)
                process = int(log.read())
        with self.assertRaises(ProcessLookupError):
            os.kill(process, 0)


class Promising(unittest.TestCase):
    KEPT = measure.Measured("execute", 13.0, 5.0, 25, 6.0, 5.0, 9.0, 12.0, 1.0)

    def test_the_bar_itself_is_kept(self):
        self.assertEqual(measure.broken(self.KEPT), [])

    def test_every_bar_is_said(self):
        over = replace(self.KEPT, size_mb=13.01, cpu_ms=6.01, resident_mb=12.01)
        self.assertEqual(
            measure.broken(over),
            [
                "execute: size 13.01 MB, promised 13.0",
                "execute: CPU to the first poll 6.01 ms, promised 6.0",
                "execute: resident 12.01 MB, promised 12.0",
            ],
        )

    def test_other_functions_are_only_reported(self):
        self.assertEqual(measure.broken(replace(self.KEPT, stage="plan", size_mb=99.0)), [])

    def test_the_table(self):
        self.assertEqual(
            measure.table([self.KEPT]).splitlines()[-1],
            "| execute | 13.0 | 5.0 | 6.0 (5.0 to 9.0) | 12.0 | 1.0 |",
        )


if __name__ == "__main__":
    unittest.main()
