#!/usr/bin/env bash
# ensure-packages.sh
#
# Checks Node and npm and brings node_modules in line with package-lock.json, doing nothing when it is already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

wanted=20.19.0

if ! command -v node >/dev/null; then
  echo "Node.js $wanted or newer is needed and there is none: install it (https://nodejs.org), then run this again" >&2
  exit 1
fi
version=$(node --version)
if [ "$(printf '%s\n' "$wanted" "${version#v}" | sort -V | head -n 1)" != "$wanted" ]; then
  echo "Node.js $wanted or newer is needed, this is $version: install it (https://nodejs.org), then run this again" >&2
  exit 1
fi
if ! command -v npm >/dev/null; then
  echo "npm is needed and there is none: it comes with Node.js (https://nodejs.org), or install your system's npm package" >&2
  exit 1
fi

# One at a time: `npm ci` deletes what another one is just writing, and both say that all is well.
if command -v flock >/dev/null; then
  exec 9<package-lock.json
  flock 9
fi

# npm writes the inner file last; a newer lock file means that packages changed since. Build and tests need the development
# packages, and the compilers are optional ones (a package per platform), whatever NODE_ENV or npm's settings leave out.
installed=node_modules/.package-lock.json
if [ ! -f "$installed" ] || [ package-lock.json -nt "$installed" ] ||
  ! grep -q '"dev": true' "$installed" || ! grep -q '"optional": true' "$installed"; then
  echo "installing npm packages"
  npm ci --include=dev --include=optional --no-fund --no-audit --loglevel=error </dev/null
  touch "$installed"
fi
