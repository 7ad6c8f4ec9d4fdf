#!/bin/bash
# Counts the words of the file `part` into `counts`: one line for each word, `word number`, sorted.
set -euo pipefail
export LC_ALL=C
tr 'A-Z' 'a-z' < part | tr -cs 'a-z' '\n' | sed '/^$/d' | sort | uniq -c | sed -E 's/^ *([0-9]+) (.*)$/\2 \1/' > counts
echo "{\"distinct\": $(wc -l < counts)}"
