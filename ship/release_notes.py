"""Prints what CHANGELOG.md says of the version of a tag; refuses a tag that is not the version of the workspace."""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


class Refused(ValueError):
    """The tag cannot be released."""


def notes(changelog: str, version: str) -> str:
    """The section of `version`. Raises Refused if it is missing, undated or empty."""
    headings = list(HEADING.finditer(changelog))
    for heading, following in zip(headings, [*headings[1:], None]):
        if heading["version"] == version:
            if not heading["date"]:
                raise Refused(f"CHANGELOG.md gives {version} no date (`## [{version}] - YYYY-MM-DD`)")
            text = changelog[heading.end() : following.start() if following else len(changelog)]
            text = re.split(r"^\[[^\]]+\]: ", text, maxsplit=1, flags=re.MULTILINE)[0].strip()
            if not text:
                raise Refused(f"CHANGELOG.md says nothing of {version}")
            return text
    raise Refused(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD`")


def workspace_version(manifest: str) -> str:
    """The version that every crate of the workspace has."""
    section = manifest.split("[workspace.package]", 1)[-1]
    return re.search(r'^version = "([^"]+)"$', section, re.MULTILINE)[1]


def release(tag: str, manifest: str, changelog: str) -> str:
    """The notes of `tag`. Raises Refused."""
    version = workspace_version(manifest)
    if tag != f"v{version}":
        raise Refused(f"the tag is `{tag}`, the workspace is at {version}, whose tag is `v{version}`")
    return notes(changelog, version)


def main(arguments: list[str] | None = None) -> int:
    """Prints the notes; 1 when the tag is refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tag", help="v1.2.3")
    tag = parser.parse_args(arguments).tag
    try:
        print(release(tag, (ROOT / "Cargo.toml").read_text(), (ROOT / "CHANGELOG.md").read_text()))
    except Refused as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
