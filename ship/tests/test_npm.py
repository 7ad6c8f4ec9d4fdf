"""Which terms of npm packages are refused."""

import contextlib
import io
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import npm

LICENCES = {"MIT", "Apache-2.0"}


class Permitting(unittest.TestCase):
    def test_choices_and_sums(self):
        for expression, expected in [
            ("MIT", True),
            ("(MIT OR GPL-3.0-or-later)", True),
            ("MIT AND Apache-2.0", True),
            ("MIT AND GPL-3.0-or-later", False),
            ("GPL-3.0-or-later", False),
            ("MIT AND (Apache-2.0 OR GPL-2.0)", False),
            ("", False),
        ]:
            with self.subTest(expression=expression):
                self.assertEqual(npm.permitted(expression, LICENCES), expected)

    def test_the_rules_are_those_of_the_crates(self):
        self.assertLessEqual({"MIT", "Apache-2.0", "ISC"}, npm.allowed((npm.ROOT / "deny.toml").read_text()))
        self.assertEqual(npm.allowed('a = 1\nallow = [\n    "MIT",\n]\ndeny = ["GPL"]\n'), {"MIT"})


class Listing(unittest.TestCase):
    LOCK = {
        "packages": {
            "": {"name": "own"},
            "node_modules/@a/b": {"version": "1.0.0", "license": "MIT", "dev": True},
            "node_modules/c/node_modules/@a/b": {"version": "2.0.0", "license": "ISC", "dev": True},
            "node_modules/d": {"version": "1.0.0", "license": "MIT"},
        }
    }

    def test_a_package_inside_another_has_its_own_name(self):
        self.assertEqual(npm.packages(self.LOCK), [("@a/b", "1.0.0", "MIT"), ("@a/b", "2.0.0", "ISC"), ("d", "1.0.0", "MIT")])

    def test_what_would_ship_is_named(self):
        self.assertEqual(npm.shipped(self.LOCK), ["node_modules/d"])

    def test_the_lock_file_of_this_repository(self):
        lock = json.loads((npm.ROOT / "infra-cdk" / "package-lock.json").read_text())
        self.assertGreater(len(npm.packages(lock)), 50)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.assertEqual(npm.main([]), 0, said.getvalue())


if __name__ == "__main__":
    unittest.main()
