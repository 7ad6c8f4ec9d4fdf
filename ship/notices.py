"""Writes THIRD-PARTY-LICENSES.txt: every crate that is linked into what ships, with the licence texts that it came with.

Read from `cargo metadata` for the two Linux targets, build tools and tests left out, and from the sources that cargo
has already fetched. Sorted, without dates and paths: the same lock file gives the same text.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from crates import SHIPPED, TARGETS, linked, metadata

# Names under which crates keep their terms.
TEXTS = ("licen", "copying", "copyright", "notice", "unlicense")
# Sources of others inside of a package, under terms of their own.
INSIDE = {"libmimalloc-sys": ["c_src/mimalloc/v2/LICENSE"]}
RULE = "=" * 100

HEAD = """Foreshard is licensed under MIT or Apache-2.0, as you like: see LICENSE-MIT and LICENSE-APACHE.

What ships contains the Rust standard library (MIT or Apache-2.0, The Rust Project Contributors), LLVM's unwinder and compiler
runtime (Apache-2.0 WITH LLVM-exception), and the crates below, under the licences named there. Where a crate offers a choice,
any of it may be taken. A text that several crates share stands once.
"""


def texts(package: dict) -> list[str]:
    """The licence files of a package, in the order of their names."""
    folder = Path(package["manifest_path"]).parent
    named = [folder / file for file in INSIDE.get(package["name"], [])]
    named += [folder / package["license_file"]] if package["license_file"] else []
    found = [file for file in folder.iterdir() if file.is_file() and file.name.lower().startswith(TEXTS)]
    return [tidy(file.read_text(errors="replace")) for file in sorted({*found, *named})]


def tidy(text: str) -> str:
    """The same words with the same line ends, so that equal texts are found to be equal."""
    return "\n".join(line.rstrip() for line in text.expandtabs().splitlines()).strip("\n")


def written(packages: list[dict], read=texts) -> str:
    """The whole file."""
    packages = sorted(packages, key=lambda package: (package["name"], package["version"]))
    sharing: dict[str, list[str]] = defaultdict(list)
    listed = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        found = read(package)
        for text in found:
            sharing[text].append(name)
        authors = ", ".join(package["authors"]) or "its authors"
        without = "" if found else f"; its package holds no text, copyright {authors}"
        listed.append(f"{name}: {package['license'] or 'see its text'}{without}; {package['repository'] or package['name']}")
    parts = [HEAD, "\n".join(listed)]
    parts += [f"{RULE}\n{', '.join(names)}\n{RULE}\n\n{text}" for text, names in sharing.items()]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    roots = {f"foreshard-{name}" for name in SHIPPED}
    found = {key: package for target in TARGETS.values() for key, package in linked(metadata(target), roots).items()}
    options.file.parent.mkdir(parents=True, exist_ok=True)
    options.file.write_text(written([package for package in found.values() if package["source"]]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
