#!/bin/bash
# The paths of the failed requests, in the order of the log.
set -euo pipefail
separator=""
echo "["
while read -r _ path _; do
  echo "$separator\"$path\""
  separator=","
done < failed.log
echo "]"
