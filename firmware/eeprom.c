/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * eeprom: see eeprom.h. By avr-libc, which waits before each write for the one before and keeps interrupts off only for the few
 * cycles that start a write, so characters from the console are not lost.
 */
#include "eeprom.h"

#include <avr/eeprom.h>
#include <avr/wdt.h>

/* avr-libc takes addresses as pointers. */
static uint8_t *address(uint16_t at)
{
	return (uint8_t *)at;
}

void eeprom_get(uint16_t from, void *to, uint16_t length)
{
	eeprom_read_block(to, address(from), length);
}

void eeprom_put(uint16_t to, const void *from, uint16_t length)
{
	const uint8_t *bytes = from;

	for (uint16_t i = 0; i < length; i++) {
		wdt_reset();
		eeprom_update_byte(address(to + i), bytes[i]);
	}
	eeprom_busy_wait();
}
