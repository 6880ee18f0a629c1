#!/usr/bin/env bash
# prepare.sh
#
# What has to be there before the tests run, from nothing: npm packages, MariaDB or MySQL, Redis and Nginx, and the
# compiled code. `npm test` begins with it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/ensure-packages.sh
# With TEST_DB_HOST the tests bring their own server along.
if [ -n "${TEST_DB_HOST:-}" ]; then
  scripts/ensure-binaries.sh redis nginx
else
  scripts/ensure-binaries.sh
fi
npm run --silent build
