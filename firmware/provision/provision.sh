#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# Makes a device's account, or a new secret for one that has it, and hands it to the board: from one program to the other, never
# through an argument.
#   provision.sh LIBRARIES PROVISION PORT WIFI BROKER LOCATION DEVICE [options of mosquitto_ctrl hearth]…
set -eu

libraries=$1 provision=$2 port=$3 wifi=$4 broker=$5 location=$6 device=$7
shift 7

ctrl() {
  LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" mosquitto_ctrl hearth "$@"
}

# Asked for once, and not twice by two programs.
if [ -z "${HEARTH_PASSWORD:-}" ] && [ -r /dev/tty ]; then
  trap 'stty echo </dev/tty' EXIT
  printf 'Password for mosquitto_ctrl hearth: ' >/dev/tty
  stty -echo </dev/tty
  read -r HEARTH_PASSWORD </dev/tty
  stty echo </dev/tty
  echo >/dev/tty
  export HEARTH_PASSWORD
fi

secret=$(ctrl "$@" device add "$location" "$device" 2>/dev/null || ctrl "$@" device secret "$location" "$device") || {
  echo "provision: no account was made for $location/$device: the lines above say why" >&2
  exit 1
}
# printf is the shell's own: no process has the secret as an argument.
printf '%s\n' "$secret" | "$provision" --port "$port" --ssid "$wifi" --broker "$broker" --location "$location" --device "$device" --secret-stdin
