#!/bin/bash
# Adds the counts of all parts into `all-counts`, sorted by word.
set -euo pipefail
export LC_ALL=C
declare -A total
words=0
while read -r word number; do
  total[$word]=$((${total[$word]:-0} + number))
  words=$((words + number))
done < <(cat counts-*)
for word in "${!total[@]}"; do
  echo "$word ${total[$word]}"
done | sort > all-counts
echo "{\"words\": $words, \"distinct\": ${#total[@]}}"
