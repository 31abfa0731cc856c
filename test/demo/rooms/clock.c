/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* clock: see clock.h. */
#include "clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static double first_hour, started, hours_a_second;

void clock_start(double hour, double day_seconds)
{
	first_hour = hour;
	started = clock_seconds();
	hours_a_second = 24 / day_seconds;
}

double clock_hour(void)
{
	return first_hour + (clock_seconds() - started) * hours_a_second;
}

double clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void clock_say(const char *format, ...)
{
	const int minutes = (int)(fmod(clock_hour(), 24) * 60);
	va_list arguments;

	printf("%02d:%02d  ", minutes / 60, minutes % 60);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}
