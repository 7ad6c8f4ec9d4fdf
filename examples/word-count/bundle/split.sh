#!/bin/bash
# Splits the text into INPUT_PARTS files part-1, part-2, … at ends of lines.
set -euo pipefail
export LC_ALL=C
split --number="l/$INPUT_PARTS" --numeric-suffixes=1 --suffix-length=1 "$FORESHARD_BUNDLE/text.txt" part-
echo "{\"parts\": $INPUT_PARTS}"
