#!/usr/bin/env bash
# prepare.sh
#
# Prepares a clean machine for the tests: npm packages, those of tests/generators included, MariaDB or MySQL, Redis, Nginx,
# Prometheus with Alertmanager and exporters, Chromium, shellcheck, curl, git, and the compiled code. `npm test` runs this first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/ensure-packages.sh
scripts/ensure-packages.sh tests/generators
# With TEST_DB_HOST, the tests use that database server.
if [ -n "${TEST_DB_HOST:-}" ]; then
  database=()
else
  database=(mysql)
fi
scripts/ensure-binaries.sh "${database[@]}" redis nginx prometheus alertmanager mysqld-exporter redis-exporter \
  nginx-exporter node-exporter blackbox-exporter chromium shellcheck curl git
npm run --silent build
