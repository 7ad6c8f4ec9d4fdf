#!/usr/bin/env bash
# Prints the folder of the programs that a lock file of Python packages pins, installing them first when they are missing.
#
#   ship/tools.sh FILE.lock     one environment for each content of the file, in target/tools; complete or not there
set -euo pipefail
lock=$1
cd "$(dirname "$0")/.."
folder=target/tools/$(basename "$lock" .lock)-$(sha256sum "$lock" | cut -c1-12)
if [ ! -f "$folder/complete" ]; then
    printf 'installing what %s pins\n' "$lock" >&2
    rm -rf "$folder"
    "${PYTHON:-python3}" -m venv "$folder" >&2
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" >&2
    touch "$folder/complete"
fi
echo "$PWD/$folder/bin"
