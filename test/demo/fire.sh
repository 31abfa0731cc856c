#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# make fire: lights the flame sensor of a simulated board of the demo that runs (make run).
#   fire.sh BUILD-FOLDER [LOCATION [SECONDS]]
set -eu

folder=$1/run
location=${2:-livingroom}
seconds=${3:-20}

case $location in
livingroom | bedroom | hall) ;;
*)
  echo "fire: no board in $location; wanted livingroom, bedroom or hall" >&2
  exit 2
  ;;
esac
case $seconds in
'' | 0* | *[!0-9]* | ?????*)
  echo "fire: $seconds: wanted 1 to 3600 seconds" >&2
  exit 2
  ;;
esac

# A pipe that nobody reads, left behind by a demo that was killed, refuses to be opened so; printf may see dd gone before it writes.
if ! printf 'fire %s %s\n' "$location" "$seconds" 2>/dev/null |
  dd of="$folder/rooms.control" oflag=nonblock conv=nocreat,notrunc status=none 2>/dev/null; then
  echo "fire: no demo with simulated boards runs in $folder: start one with make run" >&2
  exit 1
fi

port=$(sed -n 's/^listener \([0-9]*\) .*/\1/p' "$folder/mosquitto.conf")
cat <<TEXT
There is a fire before the sensor in $location, for $seconds seconds. The board there sounds its buzzer by itself; the rule
\`fire\` starts its fan, opens the hall's door and sounds every buzzer. See it in mosquitto_sub's window, or with

  tail $folder/rooms.log

The buzzers stop with the fire. The door stays open until somebody shuts it:

  mosquitto_pub -p $port -u admin -P "\$HEARTH_PASSWORD" -t hall/uno3/door/set -m closed
TEXT
