/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* day: see day.h. */
#include "day.h"

#include <math.h>

/* 1 at that hour of each day, −1 twelve hours later. */
static double wave(double hour, double crest)
{
	return cos((hour - crest) / 24 * 2 * M_PI);
}

/* A sine's arc between two hours of each day, 0 outside. */
static double arc(double hour, double from, double to)
{
	const double of_day = hour - 24 * floor(hour / 24);

	return of_day > from && of_day < to ? sin((of_day - from) / (to - from) * M_PI) : 0;
}

struct outdoor day_outdoor(double hour)
{
	const double sun = arc(hour, 6, 20);

	return (struct outdoor){
		.temperature = 25 + 6.5 * wave(hour, 15),
		.humidity = 60 + 20 * wave(hour, 4),
		.sun = sun * sun,
	};
}

double day_evening(double hour)
{
	return arc(hour, 18, 22);
}
