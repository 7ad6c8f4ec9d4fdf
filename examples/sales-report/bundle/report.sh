#!/bin/bash
# A line for each region, best first, and the sum. The numbers come as INPUT_NORTH and so on.
set -euo pipefail
export LC_ALL=C
sum=$((INPUT_NORTH + INPUT_SOUTH + INPUT_EAST + INPUT_WEST))
euros() { printf '%d.%02d' $(($1 / 100)) $(($1 % 100)); }
{
  echo "north $INPUT_NORTH"
  echo "south $INPUT_SOUTH"
  echo "east $INPUT_EAST"
  echo "west $INPUT_WEST"
} | sort --key=2,2nr --key=1,1 > ranking
read -r best _ < ranking
while read -r region cents; do
  printf '%-6s %12s %3d %%\n' "$region" "$(euros "$cents")" $((100 * cents / sum))
done < ranking > report.txt
printf '%-6s %12s\n' all "$(euros "$sum")" >> report.txt
lines=$(sed -e 's/.*/"&"/' -e '$!s/$/,/' report.txt)
echo "{\"best\": \"$best\", \"revenue_cents\": $sum, \"lines\": [$lines]}"
