#!/usr/bin/env bash
# Builds every function and the command line for one architecture, packs them, and refuses what would not start on Lambda.
#
#   ship/build.sh arm64|x86_64        into target/ship/<architecture>/: <stage>/bootstrap, <stage>.zip, foreshard, SHA256SUMS
#
# The linker is zig's, from PyPI: it brings the C library of both architectures, so the result needs no newer glibc than
# FLOOR whatever machine builds. Needs rustup's std of the target (added here when it is missing), Python 3.10 and pip.
set -euo pipefail
cd "$(dirname "$0")/.."

# Below Lambda's 2.34, so that the worker also starts in images of a user's choice: Debian 10, Ubuntu 20.04, RHEL 8.
FLOOR=2.28
STAGES=(submit plan dispatch execute aggregate reshard forecast prewarm)

architecture=${1:-}
case $architecture in
    arm64) triple=aarch64-unknown-linux-gnu ;;
    x86_64) triple=x86_64-unknown-linux-gnu ;;
    *) echo "usage: $0 arm64|x86_64" >&2; exit 2 ;;
esac

say() { printf '\033[1m==> ship %s: %s\033[0m\n' "$architecture" "$1"; }

refuse() {
    printf 'ship %s: %s\nhint: %s\n' "$architecture" "$1" "$2" >&2
    exit 1
}

bin=$(ship/tools.sh ship/build.lock) ||
    refuse "cargo-zigbuild and zig cannot be installed" "Python 3.10 or later with venv, and PyPI, are needed; PYTHON names another Python"

if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$triple/lib" ]; then
    say "adding Rust's standard library for $triple"
    rustup target add "$triple" ||
        refuse "Rust's standard library for $triple is not here and cannot be added" \
            "rustup target add $triple; where rustup cannot, make ship ARCHITECTURES=<the other one>, or let the release workflow build it"
fi

say "building, with link-time optimisation (from nothing it takes long)"
# No path of this machine in what ships: the same sources give the same bytes elsewhere.
export RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$PWD=/foreshard ${RUSTFLAGS:-}"
PATH="$bin:$PATH" cargo zigbuild --locked --profile ship --target "$triple.$FLOOR" --bins \
    "${STAGES[@]/#/--package=foreshard-}" --package=foreshard-cli

say "packing into target/ship/$architecture"
folder=target/ship/$architecture notices=target/ship/THIRD-PARTY-LICENSES.txt
python3 ship/notices.py "$notices"
python3 ship/pack.py "target/$triple/ship" "$folder" "${STAGES[@]/#/--stage=}" --tool=foreshard \
    --notice=LICENSE-MIT --notice=LICENSE-APACHE --notice="$notices"

say "checking machine, libraries and glibc"
python3 ship/gate.py "$architecture" "$folder"/*/bootstrap "$folder/foreshard"
