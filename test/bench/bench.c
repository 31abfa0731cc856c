/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bench: Hearth's benchmarks, one command each. Every X_command.c reads its arguments, measures with the modules that
 * it names, prints one table and writes build/bench/X.json.
 *
 * What was built is found from where this program lies: in build/test/bench.
 */
#include "acl_command.h"
#include "blocked_command.h"
#include "journal_command.h"
#include "load_command.h"
#include "message_command.h"
#include "query_command.h"
#include "sign_in_command.h"
#include "store_command.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name;
	const char *help;
	int (*run)(int word_count, char **words);
} COMMANDS[] = {
	{"message", "what a message costs a broker, beside the same broker bare and with an empty plugin", message_command},
	{"journal", "appending to the journal, beside memcpy and write; recovery after a kill", journal_command},
	{"store", "readings a second from the journal into SQLite and MariaDB, beside their own best", store_command},
	{"query", "how long questions about ten million stored readings take", query_command},
	{"blocked", "publish latency while the history database is locked, frozen or stopped", blocked_command},
	{"acl", "checking who may do what, beside Mosquitto's dynamic security", acl_command},
	{"sign-in", "a thousand devices at the door, and a thousand wrong passwords a second", sign_in_command},
	{"load", "the load generator alone, against a broker that runs already", load_command},
};

int main(int word_count, char **words)
{
	const size_t count = sizeof(COMMANDS) / sizeof(COMMANDS[0]);
	for (size_t i = 0; word_count > 1 && i < count; i++) {
		if (strcmp(words[1], COMMANDS[i].name) == 0) {
			return COMMANDS[i].run(word_count - 1, words + 1);
		}
	}
	bool asked = word_count > 1 && strcmp(words[1], "--help") == 0;
	FILE *out = asked ? stdout : stderr;
	fputs("usage: bench COMMAND [OPTION...]; `bench COMMAND --help` lists the options\n", out);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "  %-8s %s\n", COMMANDS[i].name, COMMANDS[i].help);
	}
	return asked ? 0 : 1;
}
