#!/bin/bash
# Writes two small texts.
set -euo pipefail
printf 'hello, %s\n' "$INPUT_NAME" > left.txt
printf 'goodbye, %s\n' "$INPUT_NAME" > right.txt
echo "{\"greeted\": \"$INPUT_NAME\"}"
