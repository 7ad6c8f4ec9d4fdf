"""Writes a small ELF file that asks for given libraries and versions, so that no compiler is needed to test a reader."""

import struct

HEADER, PROGRAM = 64, 56


def executable(machine: int = 62, wanted: dict[str, list[str]] | None = None) -> bytes:
    """An ELF file of one loaded segment and a dynamic section that needs `wanted`: versions by library."""
    wanted = wanted or {}
    strings = bytearray(b"\0")

    def add(text: str) -> int:
        at = len(strings)
        strings.extend(text.encode() + b"\0")
        return at

    names = {name: add(name) for library, versions in wanted.items() for name in (library, *versions)}
    verneed = b""
    for number, (library, versions) in enumerate(wanted.items(), start=1):
        step = 16 + 16 * len(versions) if number < len(wanted) else 0
        verneed += struct.pack("<HHIII", 1, len(versions), names[library], 16, step)
        for index, version in enumerate(versions, start=1):
            verneed += struct.pack("<IHHII", 0, 0, index, names[version], 16 if index < len(versions) else 0)
    dynamic_at = HEADER + 2 * PROGRAM
    tags = [(1, names[library]) for library in wanted]
    verneed_at = dynamic_at + 16 * (len(tags) + 4)
    strings_at = verneed_at + len(verneed)
    tags += [(5, strings_at), (0x6FFFFFFE, verneed_at), (0x6FFFFFFF, len(wanted)), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in tags)
    size = strings_at + len(strings)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, HEADER, 0, 0, HEADER, PROGRAM, 2, 0, 0, 0)
    loaded = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 4096)
    described = struct.pack("<IIQQQQQQ", 2, 6, dynamic_at, dynamic_at, 0, len(dynamic), len(dynamic), 8)
    return header + loaded + described + dynamic + verneed + bytes(strings)
