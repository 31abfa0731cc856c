#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# The arrows between modules, as the tables in plugin/README.md and firmware/README.md draw them, held against what the files include.
# A file belongs to the module whose name it has or begins with ("journal_cursor.c" to "journal").

cd "$(dirname "$0")/.." || exit 2

check() {
  awk -v table="$1" '
function module_of(file,    base, name, best) {
	base = file
	sub(/.*\//, "", base)
	sub(/\.[ch]$/, "", base)
	best = ""
	for (name in row)
		if ((base == name || index(base, name "_") == 1) && length(name) > length(best))
			best = name
	return best
}
function complain(text) {
	print text
	bad = 1
}
# | `name` | what it does | `may`, `include` |
FILENAME == table {
	if ($0 !~ /^\| `/) next
	split($0, cell, "|")
	names = cell[2]; allowed = cell[4]
	gsub(/[` ]/, "", names); gsub(/[` ]/, "", allowed)
	count = split(names, name_of, ",")
	for (i = 1; i <= count; i++) row[name_of[i]] = "," allowed ","
	next
}
{
	if (FNR == 1) {
		module = module_of(FILENAME)
		if (module == "") complain(FILENAME ": has no row in the table of " table)
	}
}
/^[ \t]*#[ \t]*include[ \t]*</ && /mosquitto|mqtt_protocol/ {
	if (module != "plugin" && module != "broker")
		complain(FILENAME ":" FNR ": only plugin and broker include Mosquitto headers")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	wanted = module_of(part[2])
	if (wanted != module && row[module] !~ ",all," && index(row[module], "," wanted ",") == 0)
		complain(FILENAME ":" FNR ": " module " may not include " part[2] " (" table ")")
}
END { exit bad }
' "$@"
}

check plugin/README.md plugin/*.h plugin/*.c &&
  check firmware/README.md firmware/*.h firmware/*.c && echo "includes follow the tables"
