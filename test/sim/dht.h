/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * dht: a DHT22 on D7 (Aosong AM2302 data sheet). The host pulls the line low for at least 0.8 ms and lets it go; the sensor
 * answers 30 µs later: 80 µs low, 80 µs high, 40 bits of 50 µs low and 26 µs (0) or 70 µs (1) high, 50 µs low. Humidity and
 * temperature in tenths, 16 bits each, the temperature's first bit its sign; the sum of these four bytes.
 */
#ifndef SIM_DHT_H
#define SIM_DHT_H

#include "board.h"

enum dht_health { DHT_OK, DHT_SILENT, DHT_DAMAGED /* its checksum is wrong */ };

struct dht;

struct dht *dht_new(struct board *board);
void dht_free(struct dht *dht);
/* In tenths: −400 … 1250 °C, 0 … 1000 %. */
void dht_temperature(struct dht *dht, int tenths);
void dht_humidity(struct dht *dht, int tenths);
void dht_health(struct dht *dht, enum dht_health health);

#endif
