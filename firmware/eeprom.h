/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * eeprom: the 1,024 bytes that survive a power cut. Hardware; tests put an array in its place.
 */
#ifndef FIRMWARE_EEPROM_H
#define FIRMWARE_EEPROM_H

#include <stdint.h>

#define EEPROM_SIZE 1024

void eeprom_get(uint16_t from, void *to, uint16_t length);

/* Writes the bytes that differ, in order, 3.4 ms each, and waits for them. Feeds the watchdog meanwhile. */
void eeprom_put(uint16_t to, const void *from, uint16_t length);

#endif
