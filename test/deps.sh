#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# Installs those of the named Debian packages that are missing. Asks for root only if something is.
set -eu

missing=
for package; do
  case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) in
    installed) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "deps: please install what corresponds to these Debian packages:$missing" >&2
  exit 1
fi
echo "deps: installing$missing"
as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "deps: run this as root: apt-get install$missing" >&2
    exit 1
  fi
  as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the list is meant to be split
$as_root apt-get install -y -q --no-install-recommends $missing ||
  { $as_root apt-get update -q && $as_root apt-get install -y -q --no-install-recommends $missing; }

# Debian starts a broker, and a database, of its own as soon as the package is there.
tell_if_active() {
  case "$missing " in
    *" $1 "*)
      if command -v systemctl >/dev/null && systemctl is-active --quiet "$2"; then
        echo "deps: Debian also started a system $3; to stop it: ${as_root:+sudo }systemctl disable --now $2"
      fi
      ;;
  esac
}
tell_if_active mosquitto mosquitto "broker on port 1883"
tell_if_active mariadb-server mariadb "database on port 3306, which the tests do not use"
