"""Reads what a Linux executable asks of the system that starts it: machine, libraries, and versions of their symbols."""

import struct
from dataclasses import dataclass
from pathlib import Path

# Source: System V ABI, "ELF header" and "Program header"; the GNU tags: Linux Standard Base, "Symbol versioning".
MACHINES = {62: "x86_64", 183: "arm64"}
PT_LOAD, PT_DYNAMIC = 1, 2
DT_NEEDED, DT_STRTAB, DT_VERNEED, DT_VERNEEDNUM = 1, 5, 0x6FFFFFFE, 0x6FFFFFFF


class NotAnExecutable(ValueError):
    """The file is no 64-bit little-endian ELF file, or it is cut off."""


@dataclass(frozen=True)
class Needs:
    """What an executable needs. A static one needs no library and no version."""

    machine: str
    libraries: tuple[str, ...]
    versions: tuple[str, ...]

    def highest(self, family: str) -> tuple[int, ...] | None:
        """The highest version of a family such as `GLIBC`, as numbers: `GLIBC_2.9` is lower than `GLIBC_2.34`."""
        return max((numbers for name in self.versions if (numbers := version(name, family))), default=None)


def version(name: str, family: str) -> tuple[int, ...] | None:
    """The numbers of `GLIBC_2.34`; nothing for another family or a name without numbers, such as `GLIBC_PRIVATE`."""
    start, _, numbers = name.rpartition("_")
    parts = numbers.split(".")
    return tuple(map(int, parts)) if start == family and all(part.isdecimal() for part in parts) else None


def needs(path: Path) -> Needs:
    """Reads `path`. Raises NotAnExecutable."""
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        raise NotAnExecutable(f"`{path}` is no 64-bit little-endian ELF file")
    try:
        return _Image(data).needs()
    except (struct.error, ValueError) as error:
        raise NotAnExecutable(f"`{path}` is cut off or damaged: {error}") from error


class _Image:
    """One file: its segments, and its dynamic section by tag."""

    def __init__(self, data: bytes):
        self.data = data
        (self.machine,) = struct.unpack_from("<H", data, 18)
        (table,) = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        self.loads: list[tuple[int, int, int]] = []
        self.dynamic: list[tuple[int, int]] = []
        for at in range(table, table + size * count, size):
            kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", data, at)
            if kind == PT_LOAD:
                self.loads.append((address, offset, length))
            elif kind == PT_DYNAMIC:
                self.dynamic = [struct.unpack_from("<QQ", data, d) for d in range(offset, offset + length, 16)]

    def needs(self) -> Needs:
        tags = dict(self.dynamic)
        strings = self.offset(tags[DT_STRTAB]) if DT_STRTAB in tags else 0
        libraries = [self.text(strings + value) for tag, value in self.dynamic if tag == DT_NEEDED]
        versions = set(self.versions(tags, strings)) if DT_VERNEED in tags else set()
        machine = MACHINES.get(self.machine, f"machine {self.machine}")
        return Needs(machine, tuple(sorted(libraries)), tuple(sorted(versions)))

    def versions(self, tags: dict[int, int], strings: int):
        """Every version that some library must have: a list of libraries, each with a list of versions."""
        entry = self.offset(tags[DT_VERNEED])
        for _ in range(tags[DT_VERNEEDNUM]):
            _, count, _, first, following = struct.unpack_from("<HHIII", self.data, entry)
            auxiliary = entry + first
            for _ in range(count):
                _, _, _, name, step = struct.unpack_from("<IHHII", self.data, auxiliary)
                yield self.text(strings + name)
                auxiliary += step
            entry += following

    def offset(self, address: int) -> int:
        for start, offset, length in self.loads:
            if start <= address < start + length:
                return address - start + offset
        raise ValueError(f"address {address:#x} is in no segment")

    def text(self, start: int) -> str:
        return self.data[start : self.data.index(b"\0", start)].decode()
