"""What is in a package, and that the same input gives the same bytes."""

import os
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import pack


class Packing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "built").mkdir()
        for name in ("plan", "foreshard"):
            (self.root / "built" / name).write_bytes(b"\x7fELF" + name.encode())
        (self.root / "NOTICE").write_text("thanks\n")

    def packed(self, name: str) -> Path:
        target = self.root / name
        arguments = [str(self.root / "built"), str(target), "--stage", "plan", "--tool", "foreshard"]
        self.assertEqual(pack.main([*arguments, "--notice", str(self.root / "NOTICE")]), 0)
        return target

    def test_the_layout_is_the_one_that_cdk_takes(self):
        target = self.packed("x86_64")
        names = sorted(str(file.relative_to(target)) for file in target.rglob("*") if file.is_file())
        self.assertEqual(names, ["SHA256SUMS", "foreshard", "plan.zip", "plan/bootstrap"])
        self.assertTrue(os.access(target / "plan" / "bootstrap", os.X_OK))

    def test_the_zip_keeps_the_executable_bit_and_holds_the_notice(self):
        with zipfile.ZipFile(self.packed("x86_64") / "plan.zip") as archive:
            entries = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        self.assertEqual(entries, {"bootstrap": 0o100755, "NOTICE": 0o100644})

    def test_twice_is_the_same_to_the_byte_whenever_it_is(self):
        first = (self.packed("first") / "plan.zip").read_bytes()
        os.utime(self.root / "built" / "plan", (1, 1))
        self.assertEqual(first, (self.packed("second") / "plan.zip").read_bytes())

    def test_what_was_there_before_is_gone(self):
        (self.root / "x86_64" / "reshard").mkdir(parents=True)
        self.assertFalse((self.packed("x86_64") / "reshard").exists())

    def test_the_sums_are_what_sha256sum_checks(self):
        target = self.packed("x86_64")
        checked = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=target, capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertEqual(checked.stdout.count(": OK"), 3)


if __name__ == "__main__":
    unittest.main()
