/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * readings: see readings.h. The numbers wander as temperatures do and have one decimal.
 */
#include "readings.h"

#include <stdio.h>

#define SECOND_US INT64_C(1000000)
#define BEGIN_US  (INT64_C(1795341600) * SECOND_US)

struct reading readings_at(uint64_t index, uint32_t series)
{
	uint64_t turn = index / series;
	uint32_t number = (uint32_t)(index % series);
	return (struct reading){
		.series = number,
		.time_us = BEGIN_US + (int64_t)turn * SECOND_US + (int64_t)number * SECOND_US / series,
		.number = 20 + (double)((turn / 7 + number) % 100) / 10,
	};
}

size_t readings_device(uint32_t series, char out[static READINGS_NAME_MAX])
{
	return (size_t)snprintf(out, READINGS_NAME_MAX, "dev%u", (unsigned)series + 1);
}

size_t readings_topic(uint32_t series, char out[static READINGS_NAME_MAX])
{
	return (size_t)snprintf(out, READINGS_NAME_MAX, READINGS_LOCATION "/dev%u/" READINGS_SENSOR "/value",
	                        (unsigned)series + 1);
}
