/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * settings: see settings.h. Numbers in EEPROM have their low byte first.
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
 *   1     2    n, the length of the fields
 *   3     n    the fields: struct settings as it is, 268 bytes. Texts are filled up with zeros:
 *                0 ssid   33 key   97 broker   138 location   171 device   196 secret   238 port   240 period_s   242 keepalive_s
 *                244 safe_after_s   246 safe, 5 times   256 servo_us, 4 times   264 change_temperature   265 change_humidity
 *                266 change_illuminance   267 dht
 *   3+n   2    CRC-16/CCITT of all before it
 *
 * A later firmware adds members at the end of the struct only. So a shorter copy is an earlier firmware's, and the rest keeps its
 * defaults; of a longer one the end is not read. Another meaning needs another version.
 *
 * The version is overwritten first and written last, so a copy that a power cut left half old and half new is never taken for whole,
 * not even when a CRC happens to fit. A save writes the first copy, then the second: if both are whole but differ, the first is the newer.
 *
 * A place of the count:
 *
 *   0     4    number of a start
 *   4     2    CRC-16/CCITT of it
 *
 * The places hold the last number and the one before; a start writes the next over the older. If one place is damaged, the
 * whole one may be either, so one number is left out. A number is given out only after it is written.
 */
#include "settings.h"

#include "eeprom.h"

#include <stddef.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are stored as they are in memory");
_Static_assert(sizeof(struct settings) == 268 && offsetof(struct settings, port) == 238, "no gaps, as described above");

#define VERSION    1
#define UNFINISHED 255

#define COPY_AT(which)  ((uint16_t)(16 + 480 * (which)))
#define COPY_SIZE       480
#define COPY_HEAD       3
#define COPY_AROUND     5 /* bytes that are not fields: head and CRC */
#define COUNT_AT(which) ((uint16_t)(976 + 16 * (which)))

/* ---- EEPROM: the copies ---- */

uint16_t settings_crc(uint16_t crc, uint8_t byte)
{
	crc ^= (uint16_t)(byte << 8);
	for (uint8_t bit = 0; bit < 8; bit++)
		crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	return crc;
}

static uint16_t crc_of(uint16_t crc, const void *bytes, uint16_t length)
{
	for (uint16_t i = 0; i < length; i++)
		crc = settings_crc(crc, ((const uint8_t *)bytes)[i]);
	return crc;
}

static uint8_t byte_at(uint16_t at)
{
	uint8_t byte;

	eeprom_get(at, &byte, 1);
	return byte;
}

static void byte_put(uint16_t at, uint8_t byte)
{
	eeprom_put(at, &byte, 1);
}

/* The bytes of a whole copy, all of them; 0: it is not whole. */
static uint16_t copy_length(uint16_t at)
{
	uint16_t length, crc, wanted = SETTINGS_CRC_START;

	eeprom_get(at + 1, &length, sizeof length);
	if (byte_at(at) != VERSION || length > COPY_SIZE - COPY_AROUND)
		return 0;
	length += COPY_HEAD;
	for (uint16_t i = 0; i < length; i++)
		wanted = settings_crc(wanted, byte_at(at + i));
	eeprom_get(at + length, &crc, sizeof crc);
	return crc == wanted ? (uint16_t)(length + sizeof crc) : 0;
}

static void copy_write(const struct settings *settings, uint16_t at)
{
	const uint16_t length = sizeof *settings;
	uint16_t crc = settings_crc(SETTINGS_CRC_START, VERSION);

	crc = crc_of(crc, &length, sizeof length);
	crc = crc_of(crc, settings, sizeof *settings);
	byte_put(at, UNFINISHED);
	eeprom_put(at + 1, &length, sizeof length);
	eeprom_put(at + COPY_HEAD, settings, sizeof *settings);
	eeprom_put((uint16_t)(at + COPY_HEAD + length), &crc, sizeof crc);
	byte_put(at, VERSION);
}

enum settings_found settings_load(struct settings *settings)
{
	uint16_t from = COPY_AT(0), other = COPY_AT(1), length = copy_length(from), known, i = 0;

	settings_default(settings);
	if (length == 0) {
		from = COPY_AT(1);
		other = COPY_AT(0);
		length = copy_length(from);
	}
	if (length == 0)
		return SETTINGS_NONE;
	known = (uint16_t)(length - COPY_AROUND);
	if (known > sizeof *settings)
		known = sizeof *settings;
	eeprom_get(from + COPY_HEAD, settings, known);
	while (i < length && byte_at(from + i) == byte_at(other + i))
		i++;
	if (i == length)
		return SETTINGS_GOOD;
	copy_write(settings, other);
	/* An earlier or later firmware's is brought into this one's form, but never while it is the only whole one. */
	if (copy_length(other) != 0)
		copy_write(settings, from);
	return SETTINGS_MENDED;
}

void settings_save(const struct settings *settings)
{
	copy_write(settings, COPY_AT(0));
	copy_write(settings, COPY_AT(1));
}

/* ---- EEPROM: the count of starts ---- */

struct place {
	uint32_t number;
	uint16_t crc;
};

#define PLACE_SIZE 6 /* without what a compiler adds at its end */

static bool place_read(uint8_t which, uint32_t *number)
{
	struct place place;

	eeprom_get(COUNT_AT(which), &place, PLACE_SIZE);
	*number = place.number;
	return place.crc == crc_of(SETTINGS_CRC_START, &place.number, sizeof place.number);
}

static void place_write(uint8_t which, uint32_t number)
{
	struct place place = {number, crc_of(SETTINGS_CRC_START, &number, sizeof number)};

	eeprom_put(COUNT_AT(which), &place, PLACE_SIZE);
}

uint32_t settings_count_start(uint32_t otherwise)
{
	uint32_t first, second, next;
	bool whole_first = place_read(0, &first), whole_second = place_read(1, &second);
	uint8_t older;

	if (whole_first && whole_second) {
		older = first > second;
		next = (older ? first : second) + 1;
	} else if (whole_first || whole_second) {
		older = whole_first;
		next = (whole_first ? first : second) + 2;
	} else {
		older = 0;
		next = otherwise + 1;
	}
	if (next == 0)
		next = 1;
	place_write(older, next);
	/* It is so already, unless a number was left out: then the next damage must not bring it back. */
	place_write(!older, next - 1);
	return next;
}
