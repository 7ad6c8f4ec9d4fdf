#!/bin/bash
# The orders of one region: lines of sales.csv are date,region,product,units,price in cents.
set -euo pipefail
export LC_ALL=C
sed -n "/^[^,]*,$INPUT_REGION,/p" "$FORESHARD_BUNDLE/sales.csv" > orders.csv
echo "{\"orders\": $(wc -l < orders.csv)}"
