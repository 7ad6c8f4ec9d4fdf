#!/usr/bin/env bash
# Puts a built binary where CDK takes it, `<folder>/bootstrap`, and touches nothing when it is the same.
set -euo pipefail
binary=$1 folder=$2
mkdir -p "$folder"
if ! cmp -s "$binary" "$folder/bootstrap"; then
    cp "$binary" "$folder/bootstrap.new"
    chmod 755 "$folder/bootstrap.new"
    mv -f "$folder/bootstrap.new" "$folder/bootstrap"
fi
