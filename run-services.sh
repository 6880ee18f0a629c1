#!/usr/bin/env bash
# Runs the whole shop on this machine: database, Redis, the six services and Nginx. See --help.
set -euo pipefail

usage() {
  cat <<'END'
run-services.sh [up] [--replicas N] [--monitoring]
                                      start everything and stay in the foreground; Ctrl+C stops it
run-services.sh status                show what is running (exit code: 0 healthy, 1 not healthy, 3 not running)
run-services.sh stop                  stop everything that `up` started, from another terminal or after a crash
run-services.sh url                   print the address of the running gateway, for API=$(./run-services.sh url)

For the database and Redis, it tries in this order:
  1. the servers in .env.local, if they respond
  2. Docker (docker compose up db redis)
  3. private servers with their data in .data/. On Debian and Ubuntu, as root or with passwordless sudo, missing
     programs are installed first.
Data in .data/ (SHOP_DATA_DIR=… for another folder) is kept between runs.

--monitoring also starts Prometheus, Alertmanager and the exporters for Nginx, database and Redis with the files in
monitoring/, and installs them in the same way if missing. Prometheus keeps its data for 200 hours.

Settings come from .env.local (ENV_FILE=… for another file). Environment variables override it, for example
  AUTH_PORT=9080 GATEWAY_PORT=9000 DB_PORT=3310 REDIS_PORT=6380 ./run-services.sh
Nginx listens on GATEWAY_PORT. If that is empty, it uses 80, or 8000 if 80 is not available.
END
}

refuse() {
  echo "run-services.sh: $1 (./run-services.sh --help)" >&2
  exit 2
}

# Rejects wrong arguments here, before anything is installed or built.
command=up
case ${1:-} in
  up | status | stop | url) command=$1 && shift ;;
  help) usage && exit 0 ;;
  '' | -*) ;;
  *) refuse "unknown command \"$1\"" ;;
esac
replicas=1 options=()
while [ $# -gt 0 ]; do
  case $command:$1 in
    *:-h | *:--help) usage && exit 0 ;;
    up:--monitoring) options+=(--monitoring) ;;
    up:--replicas) replicas=${2-} && shift $(($# > 1)) ;;
    up:--replicas=*) replicas=${1#*=} ;;
    *) refuse "unknown argument \"$1\" for $command" ;;
  esac
  shift
done
[[ $replicas =~ ^([1-9]|1[0-9]|20)$ ]] || refuse "--replicas takes a whole number from 1 to 20, not \"$replicas\""
[ "$command" != up ] || options+=(--replicas "$replicas")

# Relative paths are relative to the caller's working directory.
for name in ENV_FILE SHOP_DATA_DIR; do
  case ${!name:-} in '' | /*) ;; *) export "$name=$PWD/${!name}" ;; esac
done
cd "$(dirname "${BASH_SOURCE[0]}")"

cli=tools/dev/dist/cli.js
if [ "$command" = up ] || [ ! -f "$cli" ]; then
  scripts/ensure-packages.sh
  npm run --silent build </dev/null
  # Nginx shows it at /. The services do not need it.
  scripts/build-storefront.sh || echo "warning: the storefront could not be built; / shows an index of the API" >&2
fi
exec node "$cli" "$command" ${options[@]+"${options[@]}"}
