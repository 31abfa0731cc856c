/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * eeprom_fake: see eeprom_fake.h.
 */
#include "eeprom_fake.h"

#include <stdlib.h>
#include <string.h>

uint8_t eeprom_bytes[EEPROM_SIZE];
unsigned eeprom_writes;
jmp_buf eeprom_cut;

static int left = -1;
static uint8_t torn_byte;

void eeprom_erase(void)
{
	memset(eeprom_bytes, 0xFF, sizeof eeprom_bytes);
	eeprom_writes = 0;
	left = -1;
}

void eeprom_cut_after(int after, uint8_t torn)
{
	left = after;
	torn_byte = torn;
}

uint8_t eeprom_get(uint16_t at)
{
	if (at >= EEPROM_SIZE)
		abort();
	return eeprom_bytes[at];
}

void eeprom_put(uint16_t at, uint8_t byte)
{
	if (eeprom_get(at) == byte)
		return;
	if (left == 0) {
		left = -1;
		eeprom_bytes[at] = torn_byte;
		longjmp(eeprom_cut, 1);
	}
	if (left > 0)
		left--;
	eeprom_bytes[at] = byte;
	eeprom_writes++;
}
