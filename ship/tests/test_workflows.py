"""Workflows and documents call only targets that the Makefile has."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
CALL = re.compile(r"\bmake (?:-C \.\. )?([a-z][a-z0-9-]*)\b")
COMMAND = re.compile(r"^\s*(?:- )?run: (.*)$|^\s+(make .*)$", re.MULTILINE)
CODE = re.compile(r"`(make [^`]*)`|^(make .*)$", re.MULTILINE)


def targets() -> set[str]:
    """Targets that are documented, so that `make help` lists them."""
    return set(re.findall(r"^([a-z0-9-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


def called(text: str, where: re.Pattern) -> set[str]:
    """Targets in the commands of a text."""
    commands = (part for found in where.findall(text) for part in found)
    return {target for command in commands for target in CALL.findall(command)}


class Calling(unittest.TestCase):
    def test_commands_are_found(self):
        self.assertEqual(called("  - run: make a && make b\n  - run: |\n      make c X=1\n  name: make d", COMMAND), {"a", "b", "c"})
        self.assertEqual(called("then `make a B=c`, or make it\n\nmake -C .. d  # so\n", CODE), {"a", "d"})

    def test_workflows(self):
        files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
        used = {target for file in files for target in called(file.read_text(), COMMAND)}
        self.assertLessEqual({"lint", "unit", "ship", "audit"}, used)
        self.assertEqual(used - targets(), set())

    def test_documents(self):
        for file in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "infra-cdk" / "README.md"]:
            with self.subTest(file=file.name):
                self.assertEqual(called(file.read_text(), CODE) - targets(), set())


if __name__ == "__main__":
    unittest.main()
