/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * settings_text: the settings' names, bounds and defaults; a value from text and as text. A row per setting: whoever adds one adds a
 * member to struct settings and a row at the table's end.
 */
#include "flash.h"
#include "settings.h"

#include <stddef.h>

enum kind {
	/* texts of `least` to `most` bytes */
	TEXT,   /* no control characters */
	HOST,   /* letters, digits, '.', '-' */
	LEVEL,  /* of a topic */
	HIDDEN, /* ASCII, never shown; may be empty, whatever `least` says */
	/* numbers from `least` to `most` */
	NUMBER, /* uint16_t */
	OUTPUT, /* int16_t, or "keep" */
	TONE,   /* int16_t: 0, `least` to `most`, or "keep" */
	SMALL,  /* uint8_t */
	TENTHS, /* uint8_t, in tenths */
	DHT     /* uint8_t: `least` or `most` */
};

struct field {
	char name[19];
	uint8_t kind;    /* enum kind */
	uint16_t offset; /* in struct settings */
	uint16_t least, most;
	uint16_t standard; /* what a number is by default; a text is empty */
};

#define KEEP          ((uint16_t)SETTINGS_KEEP)
#define FIELD(member) offsetof(struct settings, member)

/* In the order of the struct. */
static const struct field fields[] FLASH = {
	{"ssid", TEXT, FIELD(ssid), 1, 32, 0},
	{"key", HIDDEN, FIELD(key), 8, 63, 0},
	{"broker", HOST, FIELD(broker), 1, 40, 0},
	{"location", LEVEL, FIELD(location), 1, 32, 0},
	{"device", LEVEL, FIELD(device), 1, 24, 0},
	{"secret", HIDDEN, FIELD(secret), 1, 41, 0},
	{"port", NUMBER, FIELD(port), 1, 65535, 1883},
	{"period_s", NUMBER, FIELD(period_s), 1, 3600, 30},
	{"keepalive_s", NUMBER, FIELD(keepalive_s), 10, 600, 30},
	{"safe_after_s", NUMBER, FIELD(safe_after_s), 0, 65535, 300},
	{"safe_led", OUTPUT, FIELD(safe[0]), 0, 255, KEEP},
	{"safe_motor", OUTPUT, FIELD(safe[1]), (uint16_t)-255, 255, 0},
	{"safe_window", OUTPUT, FIELD(safe[2]), 0, 100, KEEP},
	{"safe_door", OUTPUT, FIELD(safe[3]), 0, 100, KEEP},
	{"safe_buzzer", TONE, FIELD(safe[4]), 500, 5000, KEEP},
	{"window_closed_us", NUMBER, FIELD(servo_us[0]), 500, 2500, 1000},
	{"window_open_us", NUMBER, FIELD(servo_us[1]), 500, 2500, 2000},
	{"door_closed_us", NUMBER, FIELD(servo_us[2]), 500, 2500, 1000},
	{"door_open_us", NUMBER, FIELD(servo_us[3]), 500, 2500, 2000},
	{"change_temperature", TENTHS, FIELD(change_temperature), 1, 255, 2},
	{"change_humidity", TENTHS, FIELD(change_humidity), 1, 255, 10},
	{"change_illuminance", SMALL, FIELD(change_illuminance), 1, 255, 20},
	{"dht", DHT, FIELD(dht), DHT11, DHT22, DHT22},
};

#define FIELD_COUNT ((uint8_t)(sizeof fields / sizeof *fields))

static void field_at(uint8_t index, struct field *field)
{
	memcpy_P(field, &fields[index], sizeof *field);
}

static bool field_find(const char *name, struct field *field)
{
	for (uint8_t i = 0; i < FIELD_COUNT; i++) {
		field_at(i, field);
		if (strcmp(field->name, name) == 0)
			return true;
	}
	return false;
}

static bool is_text(const struct field *field)
{
	return field->kind <= HIDDEN;
}

static uint8_t number_size(const struct field *field)
{
	return field->kind < SMALL ? 2 : 1;
}

static void number_put(struct settings *settings, const struct field *field, uint16_t number)
{
	memcpy((char *)settings + field->offset, &number, number_size(field));
}

static uint16_t number_get(const struct settings *settings, const struct field *field)
{
	uint16_t number = 0;

	memcpy(&number, (const char *)settings + field->offset, number_size(field));
	return number;
}

void settings_default(struct settings *settings)
{
	memset(settings, 0, sizeof *settings);
	for (uint8_t i = 0; i < FIELD_COUNT; i++) {
		struct field field;

		field_at(i, &field);
		if (!is_text(&field))
			number_put(settings, &field, field.standard);
	}
}

/* ---- from text ---- */

/* Bytes of the UTF-8 character at `at`; 0: it is none. (That it is not written longer than it had to be is left to the broker.) */
static uint8_t character_length(const char *at)
{
	uint8_t lead = (uint8_t)*at, length = 1;

	if (lead < 0x80)
		return 1;
	if (lead < 0xC2 || lead > 0xF4)
		return 0;
	while ((uint8_t)(lead << length) & 0x80) {
		if ((at[length] & 0xC0) != 0x80)
			return 0;
		length++;
	}
	return length;
}

static bool is_level(const char *text)
{
	uint8_t length;

	if (text[0] == '$' || text[0] == ' ' || strcmp_P(text, FLASH_TEXT("all")) == 0 ||
	    strcmp_P(text, FLASH_TEXT("hearth")) == 0)
		return false;
	for (; *text; text += length) {
		length = character_length(text);
		if (length == 0 || *text == '/' || *text == '+' || *text == '#' || (*text == ' ' && text[1] == '\0'))
			return false;
		/* U+0080 to U+009F are control characters too. */
		if ((uint8_t)*text == 0xC2 && (uint8_t)text[1] < 0xA0)
			return false;
	}
	return true;
}

static bool is_of_kind(uint8_t kind, uint8_t byte)
{
	switch (kind) {
	case HOST:
		return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
		       byte == '.' || byte == '-';
	case HIDDEN:
		return byte >= 0x20 && byte < 0x7F;
	default:
		return byte >= 0x20 && byte != 0x7F;
	}
}

static bool text_fits(const struct field *field, const char *value, uint8_t length)
{
	if (field->kind == HIDDEN && length == 0)
		return true;
	if (length < field->least || length > field->most)
		return false;
	for (const char *at = value; *at; at++)
		if (!is_of_kind(field->kind, (uint8_t)*at))
			return false;
	return field->kind != LEVEL || is_level(value);
}

/* Reads a number and holds it against the field's bounds. */
static bool number_parse(const struct field *field, const char *value, uint8_t length, uint16_t *number)
{
	int16_t level;

	switch (field->kind) {
	case OUTPUT:
	case TONE:
		if (strcmp_P(value, FLASH_TEXT("keep")) == 0) {
			*number = KEEP;
			return true;
		}
		if (!text_parse(value, length, &level))
			return false;
		*number = (uint16_t)level;
		if (field->kind == TONE && level == 0)
			return true;
		return level >= (int16_t)field->least && level <= (int16_t)field->most;
	case TENTHS:
		if (!text_parse_tenths(value, length, &level) || level < 0)
			return false;
		*number = (uint16_t)level;
		break;
	default:
		if (!text_parse_unsigned(value, length, number))
			return false;
	}
	if (field->kind == DHT)
		return *number == field->least || *number == field->most;
	return *number >= field->least && *number <= field->most;
}

bool settings_set(struct settings *settings, const char *name, const char *value)
{
	size_t length = strlen(value);
	struct field field;
	uint16_t number;

	if (!field_find(name, &field) || length > UINT8_MAX)
		return false;
	if (is_text(&field)) {
		if (!text_fits(&field, value, (uint8_t)length))
			return false;
		/* Nothing of a longer one that was there is to stay. */
		memset((char *)settings + field.offset, 0, field.most + 1U);
		memcpy((char *)settings + field.offset, value, length);
		return true;
	}
	if (!number_parse(&field, value, (uint8_t)length, &number))
		return false;
	number_put(settings, &field, number);
	return true;
}

/* ---- as text ---- */

static void show_number(const struct field *field, uint16_t number, struct sink *sink)
{
	switch (field->kind) {
	case OUTPUT:
	case TONE:
		if (number == KEEP)
			text_flash(sink, FLASH_TEXT("keep"));
		else
			text_signed(sink, (int16_t)number);
		return;
	case TENTHS:
		text_tenths(sink, (int16_t)number);
		return;
	default:
		text_unsigned(sink, number);
	}
}

static void show_bounds(const struct field *field, struct sink *sink)
{
	if (field->kind == TONE)
		text_flash(sink, FLASH_TEXT("0, "));
	show_number(field, field->least, sink);
	text_flash(sink, field->kind == DHT ? FLASH_TEXT(" or ") : FLASH_TEXT(" to "));
	show_number(field, field->most, sink);
	if (is_text(field))
		text_flash(sink, FLASH_TEXT(" bytes"));
	if (field->kind == OUTPUT || field->kind == TONE)
		text_flash(sink, FLASH_TEXT(", or keep"));
	else if (field->kind == HOST)
		text_flash(sink, FLASH_TEXT(": letters, digits, . and -"));
	else if (field->kind == LEVEL)
		text_flash(sink, FLASH_TEXT(", no / + #, no $ or space first, not all"));
	else if (field->kind == HIDDEN)
		text_flash(sink, FLASH_TEXT(" of ASCII, or none"));
}

void settings_wanted(const char *name, struct sink *sink)
{
	struct field field;

	if (field_find(name, &field))
		show_bounds(&field, sink);
	else
		text_flash(sink, FLASH_TEXT("a name that show lists"));
}

void settings_show(const struct settings *settings, struct sink *sink)
{
	for (uint8_t i = 0; i < FIELD_COUNT; i++) {
		struct field field;

		field_at(i, &field);
		const char *text = (const char *)settings + field.offset;

		text_string(sink, field.name);
		text_flash(sink, FLASH_TEXT(" = "));
		if (!is_text(&field))
			show_number(&field, number_get(settings, &field), sink);
		else if (*text == '\0')
			text_flash(sink, FLASH_TEXT("(not set)"));
		else if (field.kind == HIDDEN)
			text_flash(sink, FLASH_TEXT("(set)"));
		else
			text_string(sink, text);
		text_flash(sink, FLASH_TEXT("  ("));
		show_bounds(&field, sink);
		text_flash(sink, FLASH_TEXT(")\n"));
	}
}

const char *settings_missing(const struct settings *settings)
{
	for (uint8_t i = 0; i < FIELD_COUNT; i++) {
		struct field field;

		field_at(i, &field);
		if (field.kind < HIDDEN && *((const char *)settings + field.offset) == '\0')
			return fields[i].name;
	}
	return NULL;
}
