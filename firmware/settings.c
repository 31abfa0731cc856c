/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * settings: see settings.h. Numbers in EEPROM have their low byte first, CRCs their high byte, so that a CRC over bytes and CRC is 0.
 *
 *   0     16   not used: a brown-out can hit the cell that the EEPROM's address register points to after a reset, and that is 0
 *   16    480  first copy of the settings
 *   496   480  second copy
 *   976   16   first place of the count of starts
 *   992   16   second place
 *   1008  16   not used
 *
 * A copy:
 *
 *   0     1    version: 1; 255 while the copy is being written
 *   1     1    half the length of the fields: 136
 *   2     272  the fields: struct settings as it is. Texts are filled up with zeros:
 *                0 ssid   33 key   97 broker   138 location   171 device   196 secret   238 port   240 period_s   242 keepalive_s
 *                244 safe_after_s   246 safe, 5 times   256 servo_us, 4 times   264 change_temperature   266 change_humidity
 *                268 change_illuminance   270 dht
 *   274   2    CRC-16/CCITT of the fields
 *
 * Of another version or length a copy is not read: a firmware with other settings begins with their defaults.
 *
 * The version is overwritten first and written last, so a copy that a power cut left half old and half new is never taken for whole,
 * not even when a CRC happens to fit. A save writes the first copy, then the second: if both are whole but differ, the first is the newer.
 *
 * A place of the count:
 *
 *   0     4    number of a start
 *   4     2    CRC-16/CCITT of it
 *
 * The places hold the last number and the one before, even ones the first place, odd ones the second; so a start writes the next over
 * the older. If one place is damaged, the whole one may be either: then two numbers are left out, so that the next goes over the
 * damaged one. A number is given out only after it is written.
 */
#include "settings.h"

#include "eeprom.h"

#include <stddef.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are stored as they are in memory");
_Static_assert(sizeof(struct settings) == 272 && offsetof(struct settings, port) == 238, "no gaps, as described above");

#define VERSION    1
#define UNFINISHED 255

#define COPY_AT(which)  ((uint16_t)(16 + 480 * (which)))
#define SIZE_HALF       (sizeof(struct settings) / 2)
#define COPY_HEAD       2
#define COPY_SIZE       ((uint16_t)(COPY_HEAD + sizeof(struct settings) + 2))
#define COUNT_AT(which) ((uint16_t)(976 + 16 * (which)))

/* ---- records: bytes and the CRC behind them ---- */

uint16_t settings_crc(uint16_t crc, uint8_t byte)
{
	crc ^= (uint16_t)(byte << 8);
	for (uint8_t bit = 0; bit < 8; bit++)
		crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	return crc;
}

/*
 * Reads or writes so many bytes and the CRC behind them. With the CRC, high byte first, taken in as well, the CRC of bytes that are
 * whole comes to 0: then it returns true. (What is written is whole.)
 */
static bool record(uint16_t at, void *data, uint16_t length, bool write)
{
	uint16_t crc = SETTINGS_CRC_START;
	uint8_t *bytes = data;

	for (; length > 0; length--) {
		if (write)
			eeprom_put(at, *bytes);
		else
			*bytes = eeprom_get(at);
		crc = settings_crc(crc, *bytes++);
		at++;
	}
	if (write) {
		eeprom_put(at, (uint8_t)(crc >> 8));
		eeprom_put(at + 1, (uint8_t)crc);
	}
	crc = settings_crc(crc, eeprom_get(at));
	return settings_crc(crc, eeprom_get(at + 1)) == 0;
}

/* ---- the copies ---- */

static bool copy_read(struct settings *settings, uint16_t at)
{
	return eeprom_get(at) == VERSION && eeprom_get(at + 1) == SIZE_HALF &&
	       record(at + COPY_HEAD, settings, sizeof *settings, false);
}

static void copy_write(const struct settings *settings, uint16_t at)
{
	eeprom_put(at, UNFINISHED);
	eeprom_put(at + 1, SIZE_HALF);
	record(at + COPY_HEAD, (void *)settings, sizeof *settings, true);
	eeprom_put(at, VERSION);
}

enum settings_found settings_load(struct settings *settings)
{
	uint16_t from = COPY_AT(0), other = COPY_AT(1);

	if (!copy_read(settings, from)) {
		from = COPY_AT(1);
		other = COPY_AT(0);
		if (!copy_read(settings, from)) {
			settings_default(settings);
			return SETTINGS_NONE;
		}
	}
	for (uint16_t i = 0; i < COPY_SIZE; i++) {
		if (eeprom_get(from + i) != eeprom_get(other + i)) {
			copy_write(settings, other);
			return SETTINGS_MENDED;
		}
	}
	return SETTINGS_GOOD;
}

void settings_save(const struct settings *settings)
{
	copy_write(settings, COPY_AT(0));
	copy_write(settings, COPY_AT(1));
}

/* ---- the count of starts ---- */

static uint16_t place_of(uint8_t number)
{
	return (uint16_t)(COUNT_AT(0) + (uint8_t)((number & 1) << 4));
}

static void place_write(uint32_t number)
{
	record(place_of((uint8_t)number), &number, sizeof number, true);
}

uint32_t settings_count_start(uint32_t otherwise)
{
	uint32_t last = 0, number;
	uint8_t damaged = 0;

	for (uint8_t i = 0; i < 2; i++) {
		if (!record(place_of(i), &number, sizeof number, false))
			damaged++;
		else if (number > last)
			last = number;
	}
	if (damaged == 1)
		last += 2;
	else if (damaged == 2)
		last = otherwise;
	if (++last == 0)
		last = 1;
	place_write(last);
	place_write(last - 1);
	return last;
}
