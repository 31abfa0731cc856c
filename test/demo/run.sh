#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# make run: Mosquitto in the foreground with Hearth and a demo house, everything in build/run/. Ctrl-C stops it.
#   run.sh PLUGIN.so [OPTION OF rooms…]      such as --hour 6 --day 120
#
# In the house are three simulated boards with the real firmware (test/demo/rooms), or, where they could not be built, none.
# Environment: HEARTH_ROOMS, HEARTH_RIG, HEARTH_FIRMWARE: the rooms, the boards' simulation, their image; by default beside the plugin.
set -eu

plugin=$(realpath "$1")
shift
build=$(dirname "$plugin")
folder=$build/run
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
rooms=${HEARTH_ROOMS:-$build/test/demo/rooms/rooms}
rig=${HEARTH_RIG:-$build/test/sim/rig}
firmware=${HEARTH_FIRMWARE:-$build/firmware/hearth.elf}
boards="livingroom/uno1 bedroom/uno2 hall/uno3"

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

random_password() {
  head -c 15 /dev/urandom | base64 | tr '+/' 'xy'
}

# The first start makes the first account. Its password is shown once and kept nowhere but as a hash.
password=
if [ ! -e "$folder/hearth/accounts" ]; then
  password=$(random_password)
  (umask 077 && printf '%s\n' "$password" >"$folder/password")
  LD_LIBRARY_PATH=$build mosquitto_ctrl hearth init --state-dir "$folder/hearth" \
    --username admin --password-file "$folder/password" >"$folder/init.log" 2>&1 || {
    cat "$folder/init.log" >&2
    rm -f "$folder/password"
    exit 1
  }
  rm -f "$folder/password"
fi

# However this script ends, the rooms and the broker end first; the latter's end is waited for, for it still stores what it holds.
rooms_pid=
broker=
end() {
  [ -n "$1" ] || return 0
  kill "$1" 2>/dev/null || true
  wait "$1" || true
}
stop() {
  trap - EXIT
  trap '' HUP INT TERM
  end "$rooms_pid"
  end "$broker"
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

# As the administrator, which is possible at the first start only: nobody keeps the password.
ctrl() {
  LD_LIBRARY_PATH=$build HEARTH_PASSWORD=$password mosquitto_ctrl hearth -p "$port" -u admin "$@"
}

# Only the first start publishes: the broker keeps them.
config() {
  [ -z "$password" ] || ctrl config set "$1/config" "$(printf '%s' "$2" | tr -s '\n ' ' ')" >/dev/null
}

# The machine's own load is the first sensor: a lamp shows when it works hard.
config broker/hearth/cpu '{"unit": "%", "rules": [
  {"name": "busy", "when": {"above": 50, "hysteresis": 10},
   "then": [{"set": "demo/led1/led", "to": "on"}], "else": [{"set": "demo/led1/led", "to": "off"}]}]}'

# The house of the paper: simulated boards, or your own devices (or your mosquitto_pub).
for board in livingroom/uno1 bedroom/uno2; do
  config $board/temperature '{"unit": "°C", "min": -40, "max": 85, "rules": [
    {"name": "cool", "when": {"above": 28, "hysteresis": 1},
     "then": [{"set": "{location}/{device}/motor", "to": 1}], "else": [{"set": "{location}/{device}/motor", "to": 0}]},
    {"name": "window", "when": {"above": {"topic": "outdoor/weather/temperature", "plus": 0.5}, "hysteresis": 0.5},
     "then": [{"set": "{location}/{device}/window", "to": "open"}],
     "else": [{"set": "{location}/{device}/window", "to": "closed"}]}]}'
  config $board/humidity '{"unit": "%", "min": 0, "max": 100, "rules": [
    {"name": "dry", "when": {"above": 70, "hysteresis": 5},
     "then": [{"set": "{location}/{device}/motor", "to": 1}], "else": [{"set": "{location}/{device}/motor", "to": 0}]}]}'
done

# As the light sensor's converter reads: 0 dark … 1023 bright. At 50, which is dusk, the LED begins to glow; in the dark it is at its brightest.
for board in $boards; do
  config "$board/illuminance" '{"min": 0, "max": 1023, "rules": [
    {"name": "dim", "always": [{"set": "{location}/{device}/led", "scale": {"from": [0, 50], "to": [255, 0]}}]}]}'
done

# Wherever it burns: the fan there, the hall's door, every buzzer. The door stays open until somebody shuts it.
config all/all/fire '{"rules": [
  {"name": "fire", "priority": 100, "auto": false, "when": {"equals": 1},
   "then": [{"set": "{location}/{device}/motor", "to": 1}, {"set": "hall/uno3/door", "to": "open"},
            {"set": "livingroom/uno1/buzzer", "to": "alarm"}, {"set": "bedroom/uno2/buzzer", "to": "alarm"},
            {"set": "hall/uno3/buzzer", "to": "alarm"}],
   "else": [{"set": "{location}/{device}/motor", "to": 0}, {"set": "livingroom/uno1/buzzer", "to": "off"},
            {"set": "bedroom/uno2/buzzer", "to": "off"}, {"set": "hall/uno3/buzzer", "to": "off"}]}]}'

# ---- the boards ----

boards_are_built() {
  [ -x "$rooms" ] && [ -x "$rig" ] && [ -e "$firmware" ]
}

# Each board's secret goes from here to the board through a file, which the rooms remove once the board has it.
make_accounts() {
  umask 077
  for board in $boards; do
    ctrl device add "${board%/*}" "${board#*/}" >"$folder/${board%/*}.secret" 2>"$folder/init.log" || {
      cat "$folder/init.log" >&2
      exit 1
    }
  done
  random_password >"$folder/rooms.password"
  ctrl account add rooms --role service --new-password-file "$folder/rooms.password" >/dev/null
  ctrl grant add rooms allow write 'outdoor/weather/+/value' >/dev/null
}

boards_have_accounts() {
  for board in $boards; do
    [ -e "$folder/${board%/*}.secret" ] || [ -e "$folder/${board%/*}.eeprom" ] || return 1
  done
  [ -e "$folder/rooms.password" ]
}

no_boards=
if ! boards_are_built; then
  no_boards="No simulated boards: they need avr-gcc, avr-libc and libsimavr (make deps-run)."
else
  [ -z "$password" ] || (make_accounts)
  boards_have_accounts ||
    no_boards="No simulated boards: this house was made without them. It begins anew after: rm -r $folder"
fi
if [ -z "$no_boards" ]; then
  "$rooms" --rig "$rig" --elf "$firmware" --folder "$folder" --port "$port" "$@" >"$folder/rooms.log" 2>&1 &
  rooms_pid=$!
fi

echo
if [ -n "$password" ]; then
  echo "Hearth is running on port $port. Its first account is admin; the password is shown this once:"
  echo
  echo "  export HEARTH_PASSWORD=$password"
else
  echo "Hearth is running on port $port, with the accounts it has: export HEARTH_PASSWORD=… (admin's). A lost password is"
  echo "replaced, with the broker stopped, by"
  echo
  echo "  LD_LIBRARY_PATH=$build mosquitto_ctrl hearth init --state-dir $folder/hearth"
fi

account="-p $port -u admin -P \"\$HEARTH_PASSWORD\""
if [ -n "$no_boards" ]; then
  boards_text="
$no_boards

Trip a threshold (the fan's command follows at once), then cool down:

  mosquitto_pub $account -t livingroom/uno1/temperature/value -m 29.5
  mosquitto_pub $account -t livingroom/uno1/temperature/value -m 26
"
else
  boards_text="
Living room, bedroom and hall have a simulated board each, with the real firmware; their day takes six minutes. It is
five in the afternoon: above 28 °C a fan goes on; at dusk, when the light falls to 50 of 1023, the LEDs. Only what
rules want and boards do:

  mosquitto_sub $account -V 5 -t '+/+/+/set' -t '+/+/+/state' -F '%t  %p  %P'

what happens in the rooms, and every hour of theirs how they are:

  tail -f $folder/rooms.log

light a fire before a board's sensor, and warm a room:

  make fire
  echo temperature livingroom +3 >$folder/rooms.control
"
fi
cat <<TEXT

In another terminal, with that line first, see everything that happens:

  mosquitto_sub $account -V 5 -t '#' -F '%t  %p  %P'
$boards_text
See the devices there are, and give one more an account that can do nothing but its own:

  export LD_LIBRARY_PATH=$build
  mosquitto_ctrl hearth -p $port -u admin device list
  mosquitto_ctrl hearth -p $port -u admin device add kitchen uno4

see this machine's own load switch a lamp (one busy loop a core: the threshold is 50 % of all cores):

  for i in \$(seq \$(nproc)); do timeout 8 sh -c 'while :; do :; done' & done; wait

and read what was stored:

  sqlite3 $folder/hearth/history.db 'SELECT * FROM readings ORDER BY time DESC LIMIT 10'

Ctrl-C stops it. To begin anew, with the first account too: rm -r $folder

TEXT
wait "$broker"
