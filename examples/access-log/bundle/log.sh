#!/bin/bash
# Writes a log of INPUT_REQUESTS requests, and above them the names of its columns.
set -euo pipefail
{
  echo "client path status bytes"
  for ((n = 1; n <= INPUT_REQUESTS; n++)); do
    status=200
    if ((n % 41 == 0)); then status=404; fi
    if ((n % 250 == 0)); then status=500; fi
    echo "10.0.0.$((n * 7 % 251)) /page/$((n * 7919 % 97)) $status $((n * 31 % 4096))"
  done
} > access.log
echo "{\"lines\": $INPUT_REQUESTS}"
