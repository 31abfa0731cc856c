/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See patience.h. */
#include "patience.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SANITIZER_FACTOR 6

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t deadline_in(int ms)
{
	const char *preload = getenv("HEARTH_PRELOAD");
	bool slow = preload != NULL && preload[0] != '\0';

	return now_ms() + (int64_t)ms * (slow ? SANITIZER_FACTOR : 1);
}

void look_again(void)
{
	const struct timespec moment = {.tv_sec = 0, .tv_nsec = 5000000};

	nanosleep(&moment, NULL);
}

char *iso_time(int64_t us, char buffer[static 40])
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm utc;
	char date[24];

	gmtime_r(&seconds, &utc);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(buffer, 40, "%s.%06dZ", date, (int)(us % 1000000));
	return buffer;
}
