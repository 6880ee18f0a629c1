#!/usr/bin/env bash
# busy-test.sh [ROUNDS]
#
# Runs npm test that many times (default 3) with a busy loop on each core: on a slow machine tests may be slow but must not fail.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

loops=()
trap 'kill "${loops[@]}"' EXIT
for _ in $(seq "$(nproc)"); do
  node -e 'for (;;);' &
  loops+=($!)
done
for round in $(seq "${1:-3}"); do
  echo "round $round"
  npm test
done
