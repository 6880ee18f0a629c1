#!/usr/bin/env bash
# ensure-packages.sh [FOLDER]
#
# Checks Node and npm, and installs the packages of FOLDER/package-lock.json unless its node_modules is already up to date.
# Default: the root folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../${1:-.}"

wanted=20.19.0

if ! command -v node >/dev/null; then
  echo "Node.js $wanted or newer is required but not installed: install it (https://nodejs.org), then run this again" >&2
  exit 1
fi
version=$(node --version)
if [ "$(printf '%s\n' "$wanted" "${version#v}" | sort -V | head -n 1)" != "$wanted" ]; then
  echo "Node.js $wanted or newer is required, this is $version: install it (https://nodejs.org), then run this again" >&2
  exit 1
fi
if ! command -v npm >/dev/null; then
  echo "npm is required but not installed: it comes with Node.js (https://nodejs.org), or install your system's npm package" >&2
  exit 1
fi

# One at a time: concurrent runs of `npm ci` delete each other's files, and both report success.
if command -v flock >/dev/null; then
  exec 9<package-lock.json
  flock 9
fi

# npm writes this file last; a newer lock file means that packages have changed since. Build and tests need the development
# packages, and the compilers are optional packages (one per platform), so both are installed regardless of NODE_ENV.
installed=node_modules/.package-lock.json
if [ ! -f "$installed" ] || [ package-lock.json -nt "$installed" ] ||
  ! grep -q '"dev": true' "$installed" || ! grep -q '"optional": true' "$installed"; then
  echo "installing npm packages${1:+ of $1}"
  npm ci --include=dev --include=optional --no-fund --no-audit --loglevel=error </dev/null
  touch "$installed"
fi
