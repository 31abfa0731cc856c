/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * eeprom: the 1,024 bytes that survive a power cut. Hardware; tests put an array in its place.
 */
#ifndef FIRMWARE_EEPROM_H
#define FIRMWARE_EEPROM_H

#include <stdint.h>

#define EEPROM_SIZE 1024

uint8_t eeprom_get(uint16_t at);

/* Writes the byte if it differs, 3.4 ms, and waits for it. Feeds the watchdog. */
void eeprom_put(uint16_t at, uint8_t byte);

#endif
