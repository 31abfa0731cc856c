#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# The arrows between modules, as the table in plugin/README.md draws them, held against what the files include.
# A file belongs to the module whose name it has or begins with ("journal_cursor.c" to "journal").

cd "$(dirname "$0")/.." || exit 2

awk '
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
FILENAME == "plugin/README.md" {
	if ($0 !~ /^\| `/) next
	split($0, cell, "|")
	names = cell[2]; allowed = cell[4]
	gsub(/[` ]/, "", names); gsub(/[` ]/, "", allowed)
	row[names] = "," allowed ","
	next
}
{
	if (FNR == 1) {
		module = module_of(FILENAME)
		if (module == "") complain(FILENAME ": has no row in the table of plugin/README.md")
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
		complain(FILENAME ":" FNR ": " module " may not include " part[2] " (plugin/README.md)")
}
END { exit bad }
' plugin/README.md plugin/*.h plugin/*.c && echo "includes follow the table"
