/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sensors: what the pins say as values: DHT telegrams, a calm illuminance, a fire that is not a spark. Pure over inputs.h.
 */
#ifndef FIRMWARE_SENSORS_H
#define FIRMWARE_SENSORS_H

#include "settings.h"

enum sensor { SENSOR_TEMPERATURE, SENSOR_HUMIDITY, SENSOR_ILLUMINANCE, SENSOR_FIRE, SENSOR_COUNT };

/* Of `value`s: temperature −400 … 1250 and humidity 0 … 1000 in tenths (°C, %), illuminance 0 … 1023 as converted, fire 0 or 1. */
struct sensor_sample {
	int16_t value;
	bool fresh;  /* measured since the last call; a fire, or none, is measured every millisecond */
	bool failed; /* three attempts in a row had no usable answer; value is the last good one */
};

/* The topic level, in program memory: "temperature", … */
const char *sensor_name(enum sensor sensor);
/* Writes a value as people read it: 235 of a temperature is "23.5". */
void sensor_write(struct sink *sink, enum sensor sensor, int16_t value);

/* Decodes a telegram. False: its checksum is wrong or it is out of the sensor's range. */
bool sensor_dht_decode(const uint8_t bytes[5], enum dht_kind kind, int16_t *temperature, int16_t *humidity);

void sensors_init(enum dht_kind kind, uint32_t now_ms);
/* To be called in every pass of the main loop, each less than 256 ms behind the one before. A DHT22 is asked every 2 s, a DHT11 too; illuminance is new 10 times a second. */
void sensors_poll(uint32_t now_ms);
/* The newest sample; takes its freshness away. */
struct sensor_sample sensor_take(enum sensor sensor);

#endif
