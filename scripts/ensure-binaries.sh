#!/usr/bin/env bash
# ensure-binaries.sh [mysql] [redis] [nginx] [prometheus] [alertmanager] [mysqld-exporter] [redis-exporter]
#                    [nginx-exporter] [node-exporter] [blackbox-exporter] [chromium] [shellcheck] [curl] [git]   (default: the first three)
#
# Installs missing programs (mariadbd or mysqld, redis-server, nginx and so on) on Debian and Ubuntu, as root or with
# passwordless sudo. The packages' own services are neither started nor enabled, because the fleet runs its own. If it cannot
# install them, the last line on standard error says what to do, and the exit code is 1.
set -euo pipefail

[ $# -gt 0 ] || set -- mysql redis nginx
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

here() {
  case $1 in
    mysql) { command -v mariadbd || command -v mysqld; } >/dev/null ;;
    redis) command -v redis-server >/dev/null ;;
    nginx | shellcheck | curl | git) command -v "$1" >/dev/null ;;
    chromium) { command -v google-chrome || command -v chromium || [ -n "${CHROME:-}" ]; } >/dev/null ;;
    prometheus) command -v prometheus >/dev/null && command -v promtool >/dev/null ;;
    alertmanager) { command -v prometheus-alertmanager || command -v alertmanager; } >/dev/null ;;
    mysqld-exporter | redis-exporter | nginx-exporter | node-exporter | blackbox-exporter)
      command -v "prometheus-$1" >/dev/null
      ;;
    *) echo "ensure-binaries.sh: unknown program $1 (the first lines of the script list the known ones)" >&2 && exit 2 ;;
  esac
}

# The -core packages contain the server without a system service, users or configuration.
packages_of() {
  case $1 in
    mysql) echo mariadb-server-core mariadb-client-core ;;
    redis) echo redis-server ;;
    nginx | prometheus | chromium | shellcheck | curl | git) echo "$1" ;;
    alertmanager | *-exporter) echo "prometheus-$1" ;;
  esac
}

packages=()
for program in "$@"; do
  here "$program" && continue
  read -ra names <<<"$(packages_of "$program")"
  packages+=("${names[@]}")
done
[ ${#packages[@]} -gt 0 ] || exit 0

give_up() {
  echo "$1: install ${packages[*]} (or what your system calls them) by hand, e.g. sudo apt-get install ${packages[*]}" >&2
  exit 1
}

if ! { command -v dpkg && command -v apt-get; } >/dev/null; then give_up "this is not Debian or Ubuntu"; fi
as_root=()
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null || give_up "not root, and no sudo without a password"
  as_root=(sudo -n)
fi

# Debian starts services after installing them unless this file forbids it. An existing file is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=180 "$@" </dev/null
}
echo "installing ${packages[*]}"
apt update || echo "apt-get update failed; trying with the existing package lists" >&2
# Lines with a version in brackets are upgrades of packages that were already installed.
new=$(apt -s install --no-install-recommends "${packages[@]}" | sed -n 's/^Inst \([^ ]*\) (.*/\1/p' || true)
apt install --no-install-recommends "${packages[@]}" >/dev/null || give_up "apt-get could not install them"

# Do not start at the next boot either. The packages have enabled their services, even on a machine without systemd.
for package in $new; do
  dpkg -L "$package" | while read -r file; do
    case $file in
      */systemd/system/*.*) "${as_root[@]}" deb-systemd-helper disable "${file##*/}" ;;
      /etc/init.d/*) "${as_root[@]}" update-rc.d "${file##*/}" disable ;;
    esac
  done >/dev/null 2>&1 || true
done

for program in "$@"; do
  here "$program" || give_up "$program is still missing"
done
