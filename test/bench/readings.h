/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * readings: the readings of a house with any number of thermometers, one a second from each, made from their index.
 */
#ifndef BENCH_READINGS_H
#define BENCH_READINGS_H

#include <stddef.h>
#include <stdint.h>

struct reading {
	uint32_t series; /* 0 … series - 1 */
	int64_t time_us;
	double number;
};

/* Reading `index`, in the order in which they arrive, of a house with so many series. */
struct reading readings_at(uint64_t index, uint32_t series);

/* The location, which is the house's only one, and a series' device; the sensor is READINGS_SENSOR. */
#define READINGS_LOCATION "home"
#define READINGS_SENSOR   "temperature"
#define READINGS_NAME_MAX 64
size_t readings_device(uint32_t series, char out[static READINGS_NAME_MAX]);

/* The topic that a series' readings are published on. Both return the text's length. */
size_t readings_topic(uint32_t series, char out[static READINGS_NAME_MAX]);

#endif
