#!/bin/bash
# Adds up orders.
set -euo pipefail
orders=0 units=0 revenue=0
while IFS=, read -r _ _ _ count price; do
  orders=$((orders + 1))
  units=$((units + count))
  revenue=$((revenue + count * price))
done < orders.csv
echo "{\"orders\": $orders, \"units\": $units, \"revenue_cents\": $revenue}"
