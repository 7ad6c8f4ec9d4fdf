"""Refuses an executable that would not start on AWS Lambda: wrong machine, a library that is not there, a newer glibc."""

import argparse
import sys
from pathlib import Path

from elf import Needs, NotAnExecutable, needs

# glibc of Amazon Linux 2023, which `provided.al2023` is. Source: AL2023 user guide, "Toolchain".
GLIBC_MAX = (2, 34)

# glibc's own libraries and the compiler's runtime, all part of `provided.al2023`.
LIBRARIES = {
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "librt.so.1",
    "libpthread.so.0",
    "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
}


def dotted(numbers: tuple[int, ...] | None) -> str:
    """`2.34`, or `none` for a static executable."""
    return ".".join(map(str, numbers)) if numbers else "none"


def problems(found: Needs, architecture: str) -> list[str]:
    """Every reason why this cannot start as a function of `architecture`."""
    reasons = []
    if found.machine != architecture:
        reasons.append(f"built for `{found.machine}`, not `{architecture}`")
    highest = found.highest("GLIBC")
    if highest and highest > GLIBC_MAX:
        reasons.append(f"needs GLIBC_{dotted(highest)}, Lambda has GLIBC_{dotted(GLIBC_MAX)}")
    strange = sorted(set(found.libraries) - LIBRARIES)
    if strange:
        reasons.append(f"needs {', '.join(strange)}, which Lambda does not have")
    return reasons


def main(arguments: list[str] | None = None) -> int:
    """Prints a line for each file; 1 when one is refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("architecture", choices=["arm64", "x86_64"])
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    refused = 0
    for file in options.files:
        try:
            found = needs(file)
            reasons = problems(found, options.architecture)
            said = f"{found.machine}, GLIBC_{dotted(found.highest('GLIBC'))}"
        except (NotAnExecutable, OSError) as error:
            reasons, said = [str(error)], ""
        refused += bool(reasons)
        print(f"{file}: " + ("REFUSED: " + "; ".join(reasons) if reasons else said))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
