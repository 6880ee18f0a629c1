#!/bin/sh
# Usage: sh limits.sh COMMAND...
# Computes the numbers for default.conf.template from the settings, because nginx cannot calculate, and runs COMMAND with
# them. Used by the containers and by packages/test-servers/src/nginx-config.ts.
set -eu

# No limit in practice, and far below an overflow of nginx's counters.
LARGEST=1000000

# number NAME VALUE: VALUE, at most LARGEST.
number() {
  case $2 in '' | 0* | *[!0-9]*) echo "$1 must be a whole number from 1, not '$2'" >&2; return 1 ;; esac
  if [ ${#2} -gt ${#LARGEST} ] || [ "$2" -gt $LARGEST ]; then echo $LARGEST; else echo "$2"; fi
}

# bucket NAME RATE BURST: nginx counts a burst in addition to the first request, a token bucket includes it.
bucket() {
  above=$(($3 - 1))
  [ $above -gt 0 ] && extra="burst=$above" || extra=
  export "NGINX_$1_RATE=$2" "NGINX_$1_BURST=$extra"
  # The same values as the services send: the bucket size, and the seconds until it is full.
  export "NGINX_$1_LIMIT=$3" "NGINX_$1_POLICY=$3;w=$((($3 + $2 - 1) / $2))"
}

rate=$(number RATE_LIMIT_PER_SECOND "${RATE_LIMIT_PER_SECOND:-10}")
burst=$(number RATE_LIMIT_BURST "${RATE_LIMIT_BURST:-20}")
uploads_rate=$(number RATE_LIMIT_UPLOADS_PER_SECOND "${RATE_LIMIT_UPLOADS_PER_SECOND:-$((rate * 10))}")
uploads_burst=$(number RATE_LIMIT_UPLOADS_BURST "${RATE_LIMIT_UPLOADS_BURST:-$((burst * 10))}")
preflights_rate=$(number preflights $((rate * 10)))
preflights_burst=$(number preflights $((burst * 10)))
bucket GENERAL "$rate" "$burst"
bucket UPLOADS "$uploads_rate" "$uploads_burst"
bucket PREFLIGHTS "$preflights_rate" "$preflights_burst"

connections=$(number CONNECTIONS_PER_CLIENT "${CONNECTIONS_PER_CLIENT:-$((burst * 10))}")
# The largest number that nginx accepts.
[ "$connections" -le 65535 ] || connections=65535
export "NGINX_CONNECTIONS_PER_CLIENT=$connections"

exec "$@"
