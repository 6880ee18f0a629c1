#!/usr/bin/env bash
# The whole shop on this machine: database, Redis, the six services and Nginx. --help says more.
set -euo pipefail

usage() {
  cat <<'END'
run-services.sh [up] [--replicas N] [--monitoring]
                                      start everything and stay in the foreground; Ctrl+C stops it
run-services.sh status                what runs, and how it is (exit code 0 healthy, 1 not healthy, 3 not running)
run-services.sh stop                  stop what `up` started, from another terminal or after a crash
run-services.sh url                   print the address of the running gateway, for API=$(./run-services.sh url)

Database and Redis are, in this order: the ones that .env.local points at, when they answer; a Docker engine's
(docker compose up db redis); private ones below .data/ from the programs installed here; on Debian and Ubuntu, as
root or with passwordless sudo, missing programs are installed first. Data below .data/ (another folder:
SHOP_DATA_DIR=…) is kept between runs.

--monitoring starts Prometheus, Alertmanager and the exporters for Nginx, database and Redis beside it, installed in
the same way, with the files of monitoring/. What Prometheus has seen is kept for 200 hours.

Settings come from .env.local (another file: ENV_FILE=…); the process environment wins over it, for example
  AUTH_PORT=9080 GATEWAY_PORT=9000 DB_PORT=3310 REDIS_PORT=6380 ./run-services.sh
Nginx listens on GATEWAY_PORT; when that is empty on 80, or 8000 where 80 is not to be had.
END
}

refuse() {
  echo "run-services.sh: $1 (./run-services.sh --help)" >&2
  exit 2
}

# Wrong arguments are refused here, before anything is installed or built.
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

# Relative paths are meant from where the command was typed.
for name in ENV_FILE SHOP_DATA_DIR; do
  case ${!name:-} in '' | /*) ;; *) export "$name=$PWD/${!name}" ;; esac
done
cd "$(dirname "${BASH_SOURCE[0]}")"

cli=packages/fleet/dist/cli.js
if [ "$command" = up ] || [ ! -f "$cli" ]; then
  scripts/ensure-packages.sh
  npm run --silent build </dev/null
fi
exec node "$cli" "$command" ${options[@]+"${options[@]}"}
