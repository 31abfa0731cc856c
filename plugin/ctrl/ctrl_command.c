/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_command: what commands need to look at their call.
 */
#include "ctrl_command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *ctrl_value(const struct ctrl_call *call, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < call->set_count; i++)
		if (strcmp(call->set[i].option->name, name) == 0)
			value = call->set[i].value ? call->set[i].value : "";
	return value;
}

int ctrl_fail(struct ctrl_call *call, int status, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(call->error, sizeof call->error, format, values);
	va_end(values);
	return status;
}

void *ctrl_must(void *memory)
{
	if (memory)
		return memory;
	fputs("hearth: no memory\n", stderr);
	exit(CTRL_FILE);
}
