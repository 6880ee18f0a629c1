#!/usr/bin/env bash
# build-storefront.sh
#
# Builds examples/storefront into nginx/html/storefront, which Nginx shows at /, unless it is newer than all that it is made from.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

built=nginx/html/storefront/index.html
if [ -f "$built" ] && [ -z "$(find examples/storefront packages/client/src package-lock.json -newer "$built" -print -quit)" ]; then
  exit 0
fi
npx vite build examples/storefront --logLevel warn </dev/null
