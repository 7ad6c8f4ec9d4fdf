"""Which tags are released, and with which words."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from release_notes import ROOT, Refused, notes, release, workspace_version

MANIFEST = '[package]\nversion = "9.9.9"\n[workspace.package]\nversion = "0.2.0"\n'
CHANGELOG = """# Changelog

## [Unreleased]

## [0.2.0] - 2026-11-21

### Added
- This.

## [0.1.0] - 2026-10-01

### Added
- That.

[Unreleased]: https://example.org
"""


class Releasing(unittest.TestCase):
    def test_the_section_of_the_tag_alone(self):
        self.assertEqual(release("v0.2.0", MANIFEST, CHANGELOG), "### Added\n- This.")
        self.assertEqual(notes(CHANGELOG, "0.1.0"), "### Added\n- That.")

    def test_refused(self):
        for tag, changelog, reason in [
            ("v0.3.0", CHANGELOG, "the tag is `v0.3.0`, the workspace is at 0.2.0"),
            ("0.2.0", CHANGELOG, "the tag is `0.2.0`"),
            ("v0.2.0", CHANGELOG.replace(" - 2026-11-21", ""), "gives 0.2.0 no date"),
            ("v0.2.0", CHANGELOG.replace("### Added\n- This.", ""), "says nothing of 0.2.0"),
            ("v0.2.0", "# Changelog\n", "no section"),
        ]:
            with self.subTest(tag=tag, reason=reason), self.assertRaisesRegex(Refused, reason):
                release(tag, MANIFEST, changelog)

    def test_the_changelog_of_this_repository_has_a_place_for_what_comes(self):
        self.assertIn("\n## [Unreleased]\n", (ROOT / "CHANGELOG.md").read_text())
        self.assertRegex(workspace_version((ROOT / "Cargo.toml").read_text()), r"^\d+\.\d+\.\d+$")


if __name__ == "__main__":
    unittest.main()
