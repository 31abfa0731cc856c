/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * inputs: the sensors' pins. Hardware. clock_init comes first: its Timer2 times the DHT's answer.
 */
#ifndef FIRMWARE_INPUTS_H
#define FIRMWARE_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void inputs_init(void);

/*
 * The CdS divider, 0 … 1023, brighter is higher: as it was at the last call. Does not wait, but starts the next
 * conversion (0.1 ms).
 */
uint16_t inputs_light(void);

/* The flame sensor's comparator (active low) sees fire. */
bool inputs_flame(void);

/*
 * Asks the DHT: inputs_dht_pull holds its line low, inputs_dht_release, at least 18 ms later for a DHT11 and 1 ms for a DHT22,
 * lets it answer. The answer is timed by interrupts; nothing waits. After 10 ms inputs_dht_answer gives the five bytes
 * that came, or NULL if that were not 40 bits; they stay until the next release.
 */
void inputs_dht_pull(void);
void inputs_dht_release(void);
const uint8_t *inputs_dht_answer(void);

/* Each chip's own, from what its RAM came up with: for the jitter of waiting times. */
uint16_t inputs_noise(void);

#endif
