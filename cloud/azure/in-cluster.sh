#!/usr/bin/env bash
# in-cluster.sh COMMAND [FILE]
#
# Runs a command with kubectl in the private cluster, with a file beside it. RESOURCE_GROUP and CLUSTER say where.
# `az aks command invoke` succeeds even if the command fails, so this returns the command's own exit code.
set -euo pipefail
result=$(az aks command invoke --resource-group "$RESOURCE_GROUP" --name "$CLUSTER" \
  --command "$1" ${2:+--file "$2"} --output json)
jq --raw-output .logs <<<"$result"
exit "$(jq .exitCode <<<"$result")"
