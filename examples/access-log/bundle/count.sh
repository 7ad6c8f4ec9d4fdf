#!/bin/bash
# Counts the requests of `access.log`, whose first line names the columns; those that failed go into `failed.log`.
set -euo pipefail
declare -A statuses
requests=0
bytes=0
: > failed.log
while read -r client path status size; do
  requests=$((requests + 1))
  bytes=$((bytes + size))
  statuses[$status]=$((${statuses[$status]:-0} + 1))
  if ((status >= 500)); then echo "$client $path $status" >> failed.log; fi
done < <(tail -n +2 access.log)
separator=""
echo "{\"requests\": $requests, \"bytes\": $bytes, \"statuses\": {"
for status in "${!statuses[@]}"; do
  echo "$separator\"$status\": ${statuses[$status]}"
  separator=","
done
echo "}}"
