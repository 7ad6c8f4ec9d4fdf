"""Whose terms are listed, and how."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import notices
from tests.resolved import package


class Listing(unittest.TestCase):
    def test_a_text_that_is_shared_stands_once(self):
        terms = {"a": ["MIT, by A"], "b": ["shared", "MIT, by B"], "c": ["shared"]}
        text = notices.written([package("c"), package("b"), package("a")], lambda p: terms[p["name"]])
        self.assertEqual(text.count("\nshared\n"), 1)
        self.assertIn("\nb 1.0.0, c 1.0.0\n", text)
        self.assertLess(text.index("a 1.0.0: MIT"), text.index("b 1.0.0: MIT"))

    def test_a_package_without_a_text_is_said_with_its_authors(self):
        text = notices.written([package("a")], lambda _: [])
        self.assertIn("a 1.0.0: MIT; its package holds no text, copyright A. Author; https://example.org/a", text)

    def test_texts_that_differ_in_white_space_only_are_the_same(self):
        self.assertEqual(notices.tidy("MIT\r\n \twords  \n\n"), notices.tidy("MIT\n        words\n"))


if __name__ == "__main__":
    unittest.main()
