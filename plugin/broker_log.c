/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker_log: the part of broker.h that calls no Mosquitto function, so that tests can link it.
 */
#include "broker.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 1000

void broker_logf(const struct broker_ops *ops, enum notice_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	ops->log(level, line);
}
