#!/usr/bin/env bash
# prepare.sh
#
# What has to be there before the tests run, from nothing: npm packages, MariaDB or MySQL, Redis, Nginx, Prometheus with
# its Alertmanager and exporters, shellcheck, curl, git, and the compiled code. `npm test` begins with it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/ensure-packages.sh
# With TEST_DB_HOST the tests bring their own server along.
if [ -n "${TEST_DB_HOST:-}" ]; then
  database=()
else
  database=(mysql)
fi
scripts/ensure-binaries.sh "${database[@]}" redis nginx prometheus alertmanager mysqld-exporter redis-exporter \
  nginx-exporter shellcheck curl git
npm run --silent build
