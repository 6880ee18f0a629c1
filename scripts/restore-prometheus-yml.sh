#!/usr/bin/env bash
# restore-prometheus-yml.sh           restores monitoring/prometheus.yml from its copy in the Grafana data source
# restore-prometheus-yml.sh --print   prints the copy to standard output
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../monitoring"

source=grafana/provisioning/datasources/prometheus-datasource.yml
mark='#| '

copy() {
  grep -q "^$mark" "$source" || { echo "restore-prometheus-yml.sh: no copy found in monitoring/$source" >&2 && return 1; }
  sed -n "s/^#| \{0,1\}//p" "$source"
}

case ${1:-} in
  '') copy >prometheus.yml.new && mv prometheus.yml.new prometheus.yml ;;
  --print) copy ;;
  *) sed -n '2,3s/^# //p' "$0" >&2 && exit 2 ;;
esac
