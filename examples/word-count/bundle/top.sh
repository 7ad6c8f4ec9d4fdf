#!/bin/bash
# The INPUT_TOP most frequent words; among equals, the one that comes first in the alphabet.
set -euo pipefail
export LC_ALL=C
separator=""
echo "["
while read -r word number; do
  echo "$separator{\"word\": \"$word\", \"count\": $number}"
  separator=","
done < <(sort --key=2,2nr --key=1,1 all-counts | sed -n "1,${INPUT_TOP}p")
echo "]"
