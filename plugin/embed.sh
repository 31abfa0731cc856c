#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# embed.sh FILE...: turns SQL migrations into C on standard output, one table a folder (see migration.h).
#
# schema/sqlite/history/001_initial.sql becomes row 1 of migrations_history. The files of a folder must come together
# and be numbered 001, 002, ... without a gap.
set -eu

LC_ALL=C awk '
function fail(message) {
	print "embed.sh: " FILENAME ": " message > "/dev/stderr"
	failed = 1
	exit 1
}
function end_row()   { if (name != "") print "\t},"; name = "" }
function end_table() { end_row(); if (folder != "") print "\t{0, NULL, NULL},\n};" }

BEGIN {
	print "/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */"
	print "/* Made by plugin/embed.sh from the SQL files; do not edit. */"
	print "#include \"migration.h\"\n\n#include <stddef.h>"
}

FNR == 1 {
	parts = split(FILENAME, part, "/")
	if (parts < 2 || part[parts] !~ /^[0-9][0-9][0-9]_[a-z0-9_]+\.sql$/)
		fail("wanted FOLDER/NNN_name.sql")
	end_row()
	if (part[parts - 1] != folder) {
		end_table()
		folder = part[parts - 1]
		version = 0
		printf "\nconst struct migration migrations_%s[] = {\n", folder
	}
	if (substr(part[parts], 1, 3) + 0 != ++version)
		fail(sprintf("wanted number %03d here", version))
	name = substr(part[parts], 1, length(part[parts]) - 4)
	printf "\t{\n\t\t%d,\n\t\t\"%s\",\n", version, name
}

{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	printf "\t\t\"%s\\n\"\n", $0
}

END { if (!failed) end_table() }
' "$@"
