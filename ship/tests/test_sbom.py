"""Who is in the bill of a function, and what is said of each."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import crates
import sbom
from tests.resolved import package, resolved

LOCK = """version = 4

[[package]]
name = "a"
version = "1.0.0"
source = "registry+https://example.org"
checksum = "12ab"
dependencies = [
 "b",
]

[[package]]
name = "own-plan"
version = "0.1.0"
"""


class Linking(unittest.TestCase):
    def test_what_is_linked_counts_and_what_tests_need_does_not(self):
        found = crates.linked(resolved("own-plan>a own-plan>own-model own-model>b a>c a+tests own-other>d"), {"own-plan"})
        self.assertEqual(sorted(found), ["a", "b", "c", "own-model", "own-plan"])


class Billing(unittest.TestCase):
    def test_a_bill(self):
        bill = sbom.bill("own-plan", resolved("own-plan>a a>b a+tests"), sbom.sums(LOCK))
        self.assertEqual(bill["metadata"]["component"]["name"], "own-plan")
        self.assertEqual([c["name"] for c in bill["components"]], ["a", "b"])
        self.assertEqual(bill["components"][0]["hashes"], [{"alg": "SHA-256", "content": "12ab"}])
        self.assertNotIn("hashes", bill["components"][1])
        asked = {d["ref"]: d["dependsOn"] for d in bill["dependencies"]}
        self.assertEqual(asked["pkg:cargo/own-plan@1.0.0"], ["pkg:cargo/a@1.0.0"])
        self.assertEqual(asked["pkg:cargo/a@1.0.0"], ["pkg:cargo/b@1.0.0"])

    def test_an_old_expression_is_written_as_spdx_has_it(self):
        self.assertEqual(
            sbom.component(package("a", license="MIT/Apache-2.0"), {})["licenses"],
            [{"expression": "MIT OR Apache-2.0"}],
        )

    def test_a_plus_in_a_version_is_escaped_in_the_name_anywhere(self):
        self.assertEqual(sbom.purl(package("a", version="1.0.0+x")), "pkg:cargo/a@1.0.0%2Bx")

    def test_every_crate_from_the_registry_has_a_sum_in_the_lock_of_this_repository(self):
        lock = (sbom.ROOT / "Cargo.lock").read_text()
        self.assertEqual(len(sbom.sums(lock)), lock.count("checksum = "))
        self.assertGreater(len(sbom.sums(lock)), 100)


if __name__ == "__main__":
    unittest.main()
