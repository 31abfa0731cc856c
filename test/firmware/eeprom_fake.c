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

static void check(uint16_t at, uint16_t length)
{
	if (at + length > EEPROM_SIZE)
		abort();
}

void eeprom_get(uint16_t from, void *to, uint16_t length)
{
	check(from, length);
	memcpy(to, eeprom_bytes + from, length);
}

void eeprom_put(uint16_t to, const void *from, uint16_t length)
{
	const uint8_t *bytes = from;

	check(to, length);
	for (uint16_t i = 0; i < length; i++) {
		if (eeprom_bytes[to + i] == bytes[i])
			continue;
		if (left == 0) {
			left = -1;
			eeprom_bytes[to + i] = torn_byte;
			longjmp(eeprom_cut, 1);
		}
		if (left > 0)
			left--;
		eeprom_bytes[to + i] = bytes[i];
		eeprom_writes++;
	}
}
