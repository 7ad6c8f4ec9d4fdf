#!/bin/bash
# The member `paths` of the input in capitals, as a list.
set -euo pipefail
export LC_ALL=C
grep -o '\[.*\]' | tr 'a-z' 'A-Z'
