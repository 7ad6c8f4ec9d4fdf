"""Writes what ships consists of, as CycloneDX: a file for each function and one for the command line.

Everything is in `cargo metadata` and Cargo.lock, which say more than an executable can: versions, sources, sums, licences, who
asks for whom. No date and no random number: the same lock file gives the same bytes.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from crates import SHIPPED, TARGETS, linked, metadata

ROOT = Path(__file__).parents[1]
# Source: CycloneDX 1.5, https://cyclonedx.org/docs/1.5/json/
SPEC = "1.5"


def sums(lock: str) -> dict[tuple[str, str], str]:
    """SHA-256 of each package from a registry, by name and version. Cargo writes its lock file in this form only."""
    entries = re.findall(r'^name = "(.+)"\nversion = "(.+)"\n(?:source = .+\n)?checksum = "(.+)"$', lock, re.MULTILINE)
    return {(name, version): checksum for name, version, checksum in entries}


def purl(package: dict) -> str:
    """The package's name anywhere. Source: package-url, type `cargo`."""
    return f"pkg:cargo/{package['name']}@{package['version'].replace('+', '%2B')}"


def component(package: dict, checksums: dict[tuple[str, str], str]) -> dict:
    """One crate. The old form of an expression, `MIT/Apache-2.0`, is written as SPDX has it."""
    described = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "scope": "required",
        "purl": purl(package),
    }
    if package["license"]:
        expression = " OR ".join(part.strip() for part in package["license"].split("/"))
        described["licenses"] = [{"expression": expression}]
    if checksum := checksums.get((package["name"], package["version"])):
        described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        described["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return described


def bill(root: str, found: dict, checksums: dict[tuple[str, str], str]) -> dict:
    """The bill of the package `root`: itself, what is linked into it, and who asks for whom."""
    packages = linked(found, {root})
    edges = {node["id"]: node["deps"] for node in found["resolve"]["nodes"]}
    asked = [
        {"ref": purl(package), "dependsOn": sorted(purl(packages[d["pkg"]]) for d in edges[key] if d["pkg"] in packages)}
        for key, package in packages.items()
    ]
    components = [component(package, checksums) for package in packages.values()]
    (own,) = (c for c in components if c["name"] == root)
    others = [c for c in components if c is not own]
    del own["scope"]
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {"component": own | {"type": "application"}},
        "components": sorted(others, key=lambda c: c["bom-ref"]),
        "dependencies": sorted(asked, key=lambda d: d["ref"]),
    }


def main(arguments: list[str] | None = None) -> int:
    """Writes a file for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--architecture", choices=sorted(TARGETS), default="arm64")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    found = metadata(TARGETS[options.architecture])
    checksums = sums((ROOT / "Cargo.lock").read_text())
    for name in SHIPPED:
        written = bill(f"foreshard-{name}", found, checksums)
        (options.folder / f"{name}.cdx.json").write_text(json.dumps(written, indent=2) + "\n")
        print(f"{name}: {len(written['components'])} crates")
    return 0


if __name__ == "__main__":
    sys.exit(main())
