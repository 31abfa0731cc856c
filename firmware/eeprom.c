/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * eeprom: see eeprom.h. By avr-libc, which keeps interrupts off only for the few cycles that start a write, so characters from the
 * console are not lost. It takes addresses as pointers.
 */
#include "eeprom.h"

#include <avr/eeprom.h>
#include <avr/wdt.h>

uint8_t eeprom_get(uint16_t at)
{
	return eeprom_read_byte((const uint8_t *)at);
}

void eeprom_put(uint16_t at, uint8_t byte)
{
	wdt_reset();
	eeprom_update_byte((uint8_t *)at, byte);
	eeprom_busy_wait();
}
