"""What is read of an executable, and what is refused."""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import elf
import gate
from tests.executable import executable


def read(data: bytes) -> elf.Needs:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return elf.needs(Path(file.name))


class Reading(unittest.TestCase):
    def test_libraries_and_versions_of_all_of_them(self):
        found = read(executable(183, {"libc.so.6": ["GLIBC_2.17", "GLIBC_2.34"], "libm.so.6": ["GLIBC_2.29"]}))
        self.assertEqual(found.machine, "arm64")
        self.assertEqual(found.libraries, ("libc.so.6", "libm.so.6"))
        self.assertEqual(found.versions, ("GLIBC_2.17", "GLIBC_2.29", "GLIBC_2.34"))

    def test_versions_are_compared_as_numbers(self):
        found = read(executable(62, {"libc.so.6": ["GLIBC_2.9", "GLIBC_2.2.5", "GLIBC_2.28", "GLIBC_PRIVATE"]}))
        self.assertEqual(found.highest("GLIBC"), (2, 28))
        self.assertIsNone(found.highest("GCC"))

    def test_a_static_executable_needs_nothing(self):
        found = read(executable())
        self.assertEqual((found.libraries, found.versions, found.highest("GLIBC")), ((), (), None))

    def test_the_interpreter_that_runs_this_is_read_too(self):
        found = elf.needs(Path(sys.executable).resolve())
        self.assertIn("libc.so.6", found.libraries)
        self.assertGreater(found.highest("GLIBC"), (2, 2))

    def test_every_cut_is_said_and_none_crashes(self):
        whole = executable(62, {"libc.so.6": ["GLIBC_2.17", "GLIBC_2.34"]})
        for length in range(len(whole)):
            with self.assertRaises(elf.NotAnExecutable):
                read(whole[:length])
        with self.assertRaises(elf.NotAnExecutable):
            read(b"#!/bin/sh\n")


class Refusing(unittest.TestCase):
    def test_what_lambda_has_is_taken(self):
        found = read(executable(62, {"libc.so.6": ["GLIBC_2.34"], "libm.so.6": ["GLIBC_2.29"]}))
        self.assertEqual(gate.problems(found, "x86_64"), [])

    def test_every_reason_is_said_at_once(self):
        found = read(executable(62, {"libc.so.6": ["GLIBC_2.35"], "libssl.so.3": ["OPENSSL_3.0.0"]}))
        self.assertEqual(
            gate.problems(found, "arm64"),
            [
                "built for `x86_64`, not `arm64`",
                "needs GLIBC_2.35, Lambda has GLIBC_2.34",
                "needs libssl.so.3, which Lambda does not have",
            ],
        )

    def test_one_refused_file_fails_all(self):
        with tempfile.TemporaryDirectory() as folder:
            good, bad = Path(folder, "good"), Path(folder, "bad")
            good.write_bytes(executable(62, {"libc.so.6": ["GLIBC_2.28"]}))
            bad.write_bytes(executable(62, {"libc.so.6": ["GLIBC_2.35"]}))
            with contextlib.redirect_stdout(io.StringIO()) as said:
                code = gate.main(["x86_64", str(good), str(bad), str(Path(folder, "missing"))])
        self.assertEqual(code, 1)
        lines = said.getvalue().splitlines()
        self.assertTrue(lines[0].endswith("good: x86_64, GLIBC_2.28"), lines)
        self.assertIn("REFUSED: needs GLIBC_2.35", lines[1])
        self.assertIn("REFUSED", lines[2])


if __name__ == "__main__":
    unittest.main()
