"""The host refuses what it was not written for, with one message, before it does anything."""

import ast
import importlib
import os
import tempfile
import unittest

from foreshard_host import compatibility
from foreshard_testing.machine import contents, free_port

from tests.support import FOLDER, NATIVE, START_LIMIT_S, launch


class Refusal(unittest.TestCase):
    """A host on a MiniStack that does not fit."""

    def refused(self, files):
        """Exit code and message of a host whose interpreter finds `files` first."""
        with tempfile.TemporaryDirectory() as found_first, tempfile.TemporaryDirectory() as state_dir:
            for name, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(found_first, name)), exist_ok=True)
                with open(os.path.join(found_first, name), "w", encoding="utf-8") as file:
                    file.write(text)
            host = launch(state_dir, free_port(), {"PYTHONPATH": os.pathsep.join([found_first, NATIVE])})
            status = host.wait(START_LIMIT_S)
            self.assertFalse(os.path.exists(os.path.join(state_dir, "host.json")))
            return status, contents(os.path.join(state_dir, "host.log"))

    def test_another_version(self):
        metadata = "Metadata-Version: 2.1\nName: ministack\nVersion: 1.5.34\n"
        status, message = self.refused({"ministack-1.5.34.dist-info/METADATA": metadata})
        self.assertEqual(status, 3)
        self.assertIn("ministack is version 1.5.34, exactly 1.5.33 is needed", message)

    def test_all_missing_names_come_at_once(self):
        removing = (
            "import os\n"
            "from ministack.services import lambda_svc, stepfunctions\n"
            "del lambda_svc._update_alias, stepfunctions._call_lambda, stepfunctions._add_event\n"
        )
        status, message = self.refused({"sitecustomize.py": removing})
        self.assertEqual(status, 3)
        for name in ("lambda_svc has no `_update_alias`", "stepfunctions has no `_call_lambda`", "has no `_add_event`"):
            self.assertIn(name, message)

    def test_an_absent_ministack(self):
        hiding = (
            "import importlib.metadata as metadata\n"
            "def absent(name): raise metadata.PackageNotFoundError(name)\n"
            "metadata.version = absent\n"
        )
        status, message = self.refused({"sitecustomize.py": hiding})
        self.assertEqual((status, "ministack is not installed, version 1.5.33 is needed" in message), (3, True))


class Table(unittest.TestCase):
    """The table of private names is what the sources really use."""

    def used(self):
        """`module -> names` that the package takes from MiniStack, read from its sources."""
        found = {}
        folder = os.path.join(FOLDER, "foreshard_host")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".py"):
                tree = ast.parse(contents(os.path.join(folder, name)))
                _collect(tree, found)
        return found

    def test_every_name_that_is_used_is_checked_and_no_other(self):
        checked = {module: set(names) for module, names in compatibility.PRIVATE_NAMES.items()}
        self.assertEqual(checked, self.used())

    def test_the_installed_one_fits(self):
        self.assertEqual(compatibility.problems(), [])


def _collect(tree, found):
    """Names imported from a module of MiniStack, and attributes of a module of MiniStack that was imported."""
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ministack":
            for alias in node.names:
                if _is_module(f"{node.module}.{alias.name}"):
                    modules[alias.name] = f"{node.module}.{alias.name}"
                else:
                    found.setdefault(node.module, set()).add(alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found.setdefault(modules[node.value.id], set()).add(node.attr)


def _is_module(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    unittest.main()
