"""Which crates from outside end up in what ships, as cargo resolves them."""

import json
import subprocess

TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
FUNCTIONS = ["submit", "plan", "dispatch", "execute", "aggregate", "reshard", "forecast", "prewarm"]
SHIPPED = [*FUNCTIONS, "cli"]


def metadata(target: str) -> dict:
    """What cargo resolved for a target."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={target}"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def linked(found: dict, roots: set[str]) -> dict[str, dict]:
    """Packages that end up in the packages named `roots`, these included, by id: normal dependencies only."""
    packages = {package["id"]: package for package in found["packages"]}
    edges = {node["id"]: node["deps"] for node in found["resolve"]["nodes"]}
    reached, waiting = set(), [key for key, package in packages.items() if package["name"] in roots]
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting += [d["pkg"] for d in edges[here] if any(kind["kind"] is None for kind in d["dep_kinds"])]
    # Macros are among them: they run in the compiler, but what they write is linked.
    return {key: packages[key] for key in reached}
