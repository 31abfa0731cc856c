#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# make run: Mosquitto in the foreground with Hearth and a demo house, everything in build/run/. Ctrl-C stops it.
#   run.sh PLUGIN.so
set -eu

plugin=$(realpath "$1")
folder=$(dirname "$plugin")/run
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)

# The broker holds the journal's lock as long as it runs.
demo_runs() {
  [ -e "$folder/hearth/journal/lock" ] || return 1
  flock --nonblock --conflict-exit-code 9 "$folder/hearth/journal/lock" true 2>/dev/null
  [ $? -eq 9 ]
}

if demo_runs; then
  port=$(sed -n 's/^listener \([0-9]*\) .*/\1/p' "$folder/mosquitto.conf")
  echo "A demo runs already here (port $port): stop it first, or see it with mosquitto_sub -p $port -V 5 -t '#' -F '%t  %p'" >&2
  exit 1
fi
mkdir -p "$folder"

port_is_free() {
  ! ss -Hltn "sport = :$1" 2>/dev/null | grep -q .
}

port=1883
while ! port_is_free "$port"; do
  port=$((port + 1))
done
[ "$port" = 1883 ] || echo "Port 1883 is taken (by another broker?): using $port."

{
  echo "# Made by make run. Only this machine can connect, with an account."
  echo "listener $port 127.0.0.1"
  echo "set_tcp_nodelay true"
  echo "max_inflight_messages 0"
  echo "log_dest stderr"
  echo "log_type error"
  echo "log_type warning"
  echo "log_type notice"
  echo "connection_messages false"
  [ "$(id -u)" -ne 0 ] || echo "user root"
  echo "plugin $plugin"
  echo "plugin_opt_state_dir $folder/hearth"
  echo "plugin_opt_node broker"
  echo "plugin_opt_gauges_every 2"
} >"$folder/mosquitto.conf"

# The first start makes the first account. Its password is shown once and kept nowhere but as a hash.
password=
if [ ! -e "$folder/hearth/accounts" ]; then
  password=$(head -c 15 /dev/urandom | base64 | tr '+/' 'xy')
  (umask 077 && printf '%s\n' "$password" >"$folder/password")
  LD_LIBRARY_PATH=$(dirname "$plugin") mosquitto_ctrl hearth init --state-dir "$folder/hearth" \
    --username admin --password-file "$folder/password" >"$folder/init.log" 2>&1 || {
    cat "$folder/init.log" >&2
    rm -f "$folder/password"
    exit 1
  }
  rm -f "$folder/password"
fi

# However this script ends, the broker ends first: its end is waited for, for it still stores what it holds.
stop() {
  trap - EXIT
  trap '' HUP INT TERM
  if [ -n "${!:-}" ]; then
    kill "$!" 2>/dev/null || true
    wait "$!" || true
  fi
  if [ "$1" -eq 0 ]; then
    echo || true
    echo "Stopped. What was stored stays in $folder/hearth." || true
  fi
  exit "$1"
}
trap 'stop $?' EXIT
trap 'stop 0' HUP INT TERM

# A sanitized build brings its runtime.
LD_PRELOAD="${HEARTH_PRELOAD:-}" "$mosquitto" -c "$folder/mosquitto.conf" &
broker=$!

tries=0
until ! port_is_free "$port"; do
  tries=$((tries + 1))
  if [ "$tries" -ge 50 ] || ! kill -0 "$broker" 2>/dev/null; then
    echo "The broker did not start; the lines above say why." >&2
    exit 1
  fi
  sleep 0.1
done

# Only the first start publishes: the broker keeps them.
config() {
  [ -z "$password" ] || LD_LIBRARY_PATH=$(dirname "$plugin") HEARTH_PASSWORD=$password \
    mosquitto_ctrl hearth -p "$port" -u admin config set "$1/config" "$(printf '%s' "$2" | tr -s '\n ' ' ')" >/dev/null
}

# The machine's own load is the first sensor: a lamp shows when it works hard.
config broker/hearth/cpu '{"unit": "%", "rules": [
  {"name": "busy", "when": {"above": 50, "hysteresis": 10},
   "then": [{"set": "demo/led1/led", "to": "on"}], "else": [{"set": "demo/led1/led", "to": "off"}]}]}'

# The house of the paper, waiting for devices (or for your mosquitto_pub).
config livingroom/uno1/temperature '{"unit": "°C", "min": -40, "max": 85, "rules": [
  {"name": "cool", "when": {"above": 28, "hysteresis": 1},
   "then": [{"set": "livingroom/fan1/motor", "to": 1}], "else": [{"set": "livingroom/fan1/motor", "to": 0}]},
  {"name": "window", "when": {"above": {"topic": "outdoor/weather/temperature", "plus": 0.5}, "hysteresis": 0.5},
   "then": [{"set": "livingroom/win1/window", "to": "open"}], "else": [{"set": "livingroom/win1/window", "to": "closed"}]}]}'
config livingroom/uno1/humidity '{"unit": "%", "min": 0, "max": 100, "rules": [
  {"name": "dry", "when": {"above": 70, "hysteresis": 5},
   "then": [{"set": "livingroom/fan1/motor", "to": 1}], "else": [{"set": "livingroom/fan1/motor", "to": 0}]}]}'
config livingroom/uno1/illuminance '{"rules": [
  {"name": "dim", "always": [{"set": "livingroom/led1/led", "scale": {"from": [0, 50], "to": [255, 0]}}]}]}'
config all/all/fire '{"rules": [
  {"name": "fire", "priority": 100, "auto": false, "when": {"equals": 1},
   "then": [{"set": "livingroom/fan1/motor", "to": 1}, {"set": "hall/door1/door", "to": "open"},
            {"set": "hall/door1/buzzer", "to": "alarm"}],
   "else": [{"set": "hall/door1/buzzer", "to": "off"}]}]}'

echo
if [ -n "$password" ]; then
  echo "Hearth is running on port $port. Its first account is admin; the password is shown this once:"
  echo
  echo "  export HEARTH_PASSWORD=$password"
else
  echo "Hearth is running on port $port, with the accounts it has: export HEARTH_PASSWORD=… (admin's). A lost password is"
  echo "replaced, with the broker stopped, by"
  echo
  echo "  LD_LIBRARY_PATH=$(dirname "$plugin") mosquitto_ctrl hearth init --state-dir $folder/hearth"
fi
cat <<TEXT

In another terminal, with that line first, see everything that happens:

  mosquitto_sub -p $port -u admin -P "\$HEARTH_PASSWORD" -V 5 -t '#' -F '%t  %p  %P'

trip a threshold (the fan's command follows at once), then cool down:

  mosquitto_pub -p $port -u admin -P "\$HEARTH_PASSWORD" -t livingroom/uno1/temperature/value -m 29.5
  mosquitto_pub -p $port -u admin -P "\$HEARTH_PASSWORD" -t livingroom/uno1/temperature/value -m 26

give a device an account that can do nothing but its own, and see who there is:

  export LD_LIBRARY_PATH=$(dirname "$plugin")
  mosquitto_ctrl hearth -p $port -u admin device add livingroom uno1
  mosquitto_ctrl hearth -p $port -u admin account list

see this machine's own load switch a lamp (one busy loop a core: the threshold is 50 % of all cores):

  for i in \$(seq \$(nproc)); do timeout 8 sh -c 'while :; do :; done' & done; wait

and read what was stored:

  sqlite3 $folder/hearth/history.db 'SELECT * FROM readings ORDER BY time DESC LIMIT 10'

Ctrl-C stops it.

TEXT
wait "$broker"
