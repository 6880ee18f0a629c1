#!/usr/bin/env bash
# copy-images.sh FROM TO VERSION
#
# Copies the images and their signatures to a cloud's registry, if images.yml of this repository has signed them.
# Needs cosign, and a login to both registries.
set -euo pipefail
from=$1 to=$2 version=$3
cd "$(dirname "$0")/../../services"
for service in * backup; do
  source=$from/shop-$service:$version target=$to/shop-$service:$version
  cosign verify "$source" \
    --certificate-oidc-issuer https://token.actions.githubusercontent.com \
    --certificate-identity-regexp "^https://github.com/$GITHUB_REPOSITORY/\.github/workflows/images\.yml@" >/dev/null
  # A second run of the same version finds it there, and the tags are immutable.
  if docker manifest inspect "$target" >/dev/null 2>&1; then
    echo "$target exists"
  else
    cosign copy "$source" "$target"
  fi
done
