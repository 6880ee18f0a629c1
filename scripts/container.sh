#!/usr/bin/env bash
# container.sh SERVICE PORT
#
# Runs the service `db` or `redis` of docker-compose.yml, on PORT of this machine, and prints its log until it gets SIGTERM or
# the container stops. Stops the container in the end and keeps its data. ./run-services.sh lets the kernel send SIGTERM if it is
# killed, so no container is left.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
service=$1 port=$2
export COMPOSE_FILE=docker-compose.yml # whatever the user has set

stop() {
  trap '' TERM
  kill 0 # all that this script has started, or `up` would start the container later
  wait
  docker compose stop --timeout 20 "$service"
}
trap stop EXIT
trap 'exit 143' TERM

# bash runs a trap only between commands, or while it waits for a background one.
docker compose up -d --wait "$service" &
wait $!
(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "nothing listens on port $port: does Docker run on another machine?" && exit 1; }
docker compose logs --follow --no-log-prefix "$service" &
wait $!
