#!/usr/bin/env bash
# Prints the folder of a cargo tool of exactly one version, building it first when it is missing.
#
#   ship/cargo-tool.sh NAME VERSION     in target/tools/NAME-VERSION/bin
set -euo pipefail
name=$1 version=$2
cd "$(dirname "$0")/.."
folder=$PWD/target/tools/$name-$version
if [ ! -x "$folder/bin/$name" ]; then
    printf 'building %s %s (some minutes, once)\n' "$name" "$version" >&2
    cargo install --quiet --locked --root "$folder" --target-dir "$PWD/target/tools/build" "$name@$version" >&2
fi
echo "$folder/bin"
