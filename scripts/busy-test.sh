#!/usr/bin/env bash
# busy-test.sh [ROUNDS]
#
# Runs npm test that many times (3 by default) while a busy loop occupies each core: a slow machine makes tests slow, not red.
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
