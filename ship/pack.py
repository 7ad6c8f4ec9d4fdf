"""Packs a built function as Lambda takes it: the executable, a zip of it that is the same for the same input, and sums."""

import argparse
import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

# A zip has no earlier moment than this; any fixed one makes two builds of the same code the same file.
MOMENT = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o100755 << 16
READABLE = 0o100644 << 16


def pack(executable: Path, folder: Path, notices: list[Path]) -> Path:
    """Makes `<folder>/bootstrap` and `<folder>.zip`, which holds the notices too. Gives the zip."""
    folder.mkdir(parents=True, exist_ok=True)
    bootstrap = folder / "bootstrap"
    shutil.copyfile(executable, bootstrap)
    bootstrap.chmod(0o755)
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        add(archive, "bootstrap", bootstrap, EXECUTABLE)
        for notice in notices:
            add(archive, notice.name, notice, READABLE)
    return target


def add(archive: zipfile.ZipFile, name: str, file: Path, mode: int) -> None:
    """One entry that says nothing of when and by whom it was made."""
    entry = zipfile.ZipInfo(name, MOMENT)
    entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, mode, 3
    archive.writestr(entry, file.read_bytes())


def sums(folder: Path) -> str:
    """Every file of the folder but the sums, as `sha256sum --check` reads them."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "SHA256SUMS")
    return "".join(f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(folder)}\n" for f in files)


def main(arguments: list[str] | None = None) -> int:
    """Packs the functions of one architecture and the command line beside them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("built", type=Path, help="folder with the executables as cargo left them")
    parser.add_argument("folder", type=Path, help="folder of the architecture, made anew")
    parser.add_argument("--stage", action="append", required=True, help="a function; its executable has the same name")
    parser.add_argument("--tool", action="append", default=[], help="an executable that is shipped as it is")
    parser.add_argument("--notice", action="append", default=[], type=Path, help="a text that goes into every zip")
    options = parser.parse_args(arguments)
    shutil.rmtree(options.folder, ignore_errors=True)
    for stage in options.stage:
        pack(options.built / stage, options.folder / stage, options.notice)
    for tool in options.tool:
        shutil.copyfile(options.built / tool, options.folder / tool)
        (options.folder / tool).chmod(0o755)
    (options.folder / "SHA256SUMS").write_text(sums(options.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
