/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fault: see fault.h. A text that is too long is cut.
 */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>

bool fault_set(struct fault *fault, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	return false;
}

bool fault_add(struct fault *fault, const char *where)
{
	struct fault what = *fault;
	return fault_set(fault, "%s: %.400s", where, what.text);
}
