#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# Runs test programs one after the other and counts their tests.
#
#   test/run.sh PROGRAM…     cmocka programs, or .py files for /usr/bin/python3; both print TAP
#   TEST_TIMEOUT=300         seconds that each may take
#
# A line per program; all that a program printed only if something in it failed. The last line counts everything, and
# the exit code is 1 if anything failed. What TAP alone does not tell counts as one failure: a crash, a time-out, a
# non-zero exit without a failed test, fewer tests than were announced (cmocka's "1..N"), or no test at all.
#
# cmocka 1.1.5 prints a skipped test as "not ok N # SKIP name", and after each group a comment "# ok - group".

set -u

limit=${TEST_TIMEOUT:-300}
passed=0 failed=0 skipped=0
pid=

if [ $# -eq 0 ]; then
  echo "usage: $0 PROGRAM…" >&2
  exit 2
fi

out=$(mktemp) || exit 2
trap 'rm -f "$out"' EXIT
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; wait; exit 130' INT TERM HUP

now_ms() {
  echo $(($(date +%s%N) / 1000000))
}

# Runs one program into $out; sets code and ms. `timeout` runs it in a process group of its own and ends all of it.
run() {
  case $1 in
  *.py) set -- /usr/bin/python3 "$1" ;;
  */*) ;;
  *) set -- "./$1" ;;
  esac
  begin=$(now_ms)
  CMOCKA_MESSAGE_OUTPUT=TAP timeout --kill-after=10 "$limit" "$@" >"$out" 2>&1 </dev/null &
  pid=$!
  wait "$pid" 2>/dev/null
  code=$?
  pid=
  ms=$(($(now_ms) - begin))
}

# Prints "PASSED FAILED SKIPPED ANNOUNCED" of $out.
count() {
  awk '
    /^1\.\.[0-9]+[ \r]*$/ { announced += substr($1, 4); next }
    !/^(not )?ok( [0-9]+([ \r]|$)| -| #|[ \r]*$)/ { next }
    / # SKIP/ { skipped++; next }
    /^ok/ { passed++; next }
    { failed++ }
    END { print passed + 0, failed + 0, skipped + 0, announced + 0 }
  ' "$out"
}

# Says what went wrong beyond the failed tests, given: PASSED FAILED SKIPPED ANNOUNCED. Nothing if nothing did.
trouble() {
  if [ "$code" -eq 124 ] || { [ "$code" -eq 137 ] && [ "$ms" -ge $((limit * 1000)) ]; }; then
    echo "timed out after $limit s"
  elif [ "$code" -gt 128 ]; then
    echo "killed by SIG$(kill -l "$code")"
  elif [ $(($1 + $2 + $3)) -eq 0 ]; then
    echo "no test was run, exit code $code"
  elif [ $(($1 + $2 + $3)) -lt "$4" ]; then
    echo "ended after $(($1 + $2 + $3)) of $4 tests, exit code $code"
  elif [ "$code" -ne 0 ] && [ "$2" -eq 0 ]; then
    echo "exit code $code"
  fi
}

for program; do
  run "$program"
  # shellcheck disable=SC2046 # four numbers
  set -- $(count)
  why=$(trouble "$@")
  bad=$2
  [ -z "$why" ] || bad=$((bad + 1))
  passed=$((passed + $1)) failed=$((failed + bad)) skipped=$((skipped + $3))

  line=$(printf '%-32s %4d passed' "${program##*/}" "$1")
  [ "$bad" -eq 0 ] || line="$line, $bad failed"
  [ "$3" -eq 0 ] || line="$line, $3 skipped"
  printf '%s  (%d.%01d s)%s\n' "$line" $((ms / 1000)) $((ms % 1000 / 100)) "${why:+  $why}"
  if [ "$bad" -gt 0 ]; then
    sed 's/^/    /' "$out"
  fi
done

line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" -eq 0 ]
