"""Says under which terms the packages of infra-cdk's lock file come, and refuses what deny.toml does not allow.

They are tools that synthesise and test the template: none of them is part of what ships, so there is a list of terms
here and no texts. npm writes the licence of each into the lock file, so nothing has to be installed.
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def allowed(rules: str) -> set[str]:
    """The licences of deny.toml, which crates are held to as well."""
    (block,) = re.findall(r"^allow = \[(.*?)^\]", rules, re.MULTILINE | re.DOTALL)
    return set(re.findall(r'"(.+?)"', block))


def permitted(expression: str, licences: set[str]) -> bool:
    """Whether one of the choices that an SPDX expression offers is allowed, or all that it asks for together."""
    if " AND " in expression and " OR " in expression:
        return False  # Which binds what is for a person to read.
    parts = [part.strip() for part in re.split(r" OR | AND ", expression.strip("()"))]
    return (all if " AND " in expression else any)(part in licences for part in parts)


def packages(lock: dict) -> list[tuple[str, str, str]]:
    """Name, version and licence of each package in a lock file of version 3."""
    found = set()
    for place, package in lock["packages"].items():
        if place:
            name = package.get("name") or place.rpartition("node_modules/")[2]
            found.add((name, package["version"], package.get("license", "")))
    return sorted(found)


def shipped(lock: dict) -> list[str]:
    """Packages that an installation of infra-cdk without its tools would hold."""
    return sorted(place for place, package in lock["packages"].items() if place and not package.get("dev"))


def main(arguments: list[str] | None = None) -> int:
    """Writes the list where it is asked for; 1 when a licence is refused or a package would ship."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", type=Path, metavar="FILE", help="write name, version and licence of each package there")
    options = parser.parse_args(arguments)
    lock = json.loads((ROOT / "infra-cdk" / "package-lock.json").read_text())
    licences = allowed((ROOT / "deny.toml").read_text())
    found = packages(lock)
    if options.list:
        options.list.parent.mkdir(parents=True, exist_ok=True)
        options.list.write_text("".join(f"{name} {version}: {licence}\n" for name, version, licence in found))
    refused = [f"{n} {v}: `{terms}` is not allowed by deny.toml" for n, v, terms in found if not permitted(terms, licences)]
    refused += [f"{place}: would ship, and then its texts have to" for place in shipped(lock)]
    print("\n".join(refused or [f"npm: the licences of {len(found)} packages are allowed, none of them ships"]))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
