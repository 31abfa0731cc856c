/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin_fault: what makes mosquitto_hearth_fault.so another plugin than mosquitto_hearth.so: a fault that the environment
 * names, from when the broker loads it until it lets it go.
 *
 *   HEARTH_FAULT=KIND:N:once|on[:CODE]    the Nth call of this kind fails, or it and all that follow
 *   HEARTH_FAULT=count                    none does
 *
 * The last line on standard error says how many calls of each kind there were: "fault: calls memory=250 thread=3 …"
 */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__((noreturn)) refuse(const char *text)
{
	fprintf(stderr, "fault: HEARTH_FAULT=%s: wanted KIND:N:once|on[:CODE] or count\n", text);
	abort();
}

static void arm(const char *text)
{
	char copy[64], *rest = NULL, *end = NULL;

	if (strcmp(text, "count") == 0) {
		fault_arm(FAULT_KINDS, 0, FAULT_ONCE, 0);
		return;
	}
	snprintf(copy, sizeof copy, "%s", text);
	const char *name = strtok_r(copy, ":", &rest), *nth = strtok_r(NULL, ":", &rest),
			   *mode = strtok_r(NULL, ":", &rest), *code = strtok_r(NULL, ":", &rest);
	if (name == NULL || nth == NULL || mode == NULL)
		refuse(text);
	enum fault_kind kind = fault_named(name);
	uint64_t n = strtoull(nth, &end, 10);
	bool on = strcmp(mode, "on") == 0;
	if (kind == FAULT_KINDS || n == 0 || *end != '\0' || (!on && strcmp(mode, "once") != 0))
		refuse(text);
	fault_announce(true);
	fault_arm(kind, n, on ? FAULT_ON : FAULT_ONCE, code != NULL ? (int)strtol(code, NULL, 10) : 0);
}

static void __attribute__((constructor)) loaded(void)
{
	const char *text = getenv("HEARTH_FAULT");
	if (text == NULL)
		return;
	if (!fault_install()) {
		fprintf(stderr, "fault: SQLite's hooks cannot be set\n");
		abort();
	}
	arm(text);
}

static void __attribute__((destructor)) unloaded(void)
{
	if (getenv("HEARTH_FAULT") == NULL)
		return;
	fault_disarm();
	fprintf(stderr, "fault: calls");
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		fprintf(stderr, " %s=%llu", fault_name(kind), (unsigned long long)fault_calls(kind));
	fputc('\n', stderr);
}
