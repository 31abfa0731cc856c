/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * settings_text: the settings' names, bounds and defaults; a value from text and as text. A row per setting, in the order of the struct:
 * whoever adds one adds a member, a name and a row, each at its end.
 */
#include "flash.h"
#include "names.h"
#include "say.h"
#include "settings.h"
#include "uart.h"

#include <stddef.h>

#define KEEP ((uint16_t)SETTINGS_KEEP)

static const char names[] FLASH = "ssid\0key\0broker\0location\0device\0secret\0"
								  "port\0period_s\0keepalive_s\0safe_after_s\0"
								  "safe_led\0safe_motor\0safe_window\0safe_door\0safe_buzzer\0"
								  "window_closed_us\0window_open_us\0door_closed_us\0door_open_us\0"
								  "change_temperature\0change_humidity\0change_illuminance\0dht\0";

/* What a text must not have: of the characters here those from its kind on. */
static const char forbidden[] FLASH = " /+#$,";
enum kind {
	HOST = 0,
	LEVEL = 1,   /* of a topic */
	NETWORK = 5, /* the module's commands part their arguments by commas */
	HIDDEN = 6   /* never shown; may be empty */
};
_Static_assert(HIDDEN == sizeof forbidden - 1, "nothing is forbidden");

/* For each text its place in the struct, the most bytes, and its kind. */
enum text_fact { OFFSET, MOST_BYTES, KIND, TEXT_FACTS };
#define PLACE(member) offsetof(struct settings, member), sizeof((struct settings *)0)->member - 1

static const uint8_t texts[][TEXT_FACTS] FLASH = {
	{PLACE(ssid), NETWORK},   {PLACE(key), HIDDEN},   {PLACE(broker), HOST},
	{PLACE(location), LEVEL}, {PLACE(device), LEVEL}, {PLACE(secret), HIDDEN},
};

#define TEXT_COUNT ((uint8_t)(sizeof texts / sizeof *texts))

/* The numbers lie one behind the other from `port` on. For each its bounds and its default. */
enum number_fact { LEAST, MOST, STANDARD, NUMBER_FACTS };

static const uint16_t numbers[][NUMBER_FACTS] FLASH = {
	{1, 65535, 1883},     /* port */
	{1, 3600, 30},        /* period_s */
	{10, 600, 30},        /* keepalive_s */
	{0, 65535, 300},      /* safe_after_s */
	{0, 255, KEEP},       /* safe_led */
	{0, 255, 0},          /* safe_motor */
	{0, 100, KEEP},       /* safe_window */
	{0, 100, KEEP},       /* safe_door */
	{0, 2, KEEP},         /* safe_buzzer */
	{500, 2500, 1000},    /* window_closed_us */
	{500, 2500, 2000},    /* window_open_us */
	{500, 2500, 1000},    /* door_closed_us */
	{500, 2500, 2000},    /* door_open_us */
	{1, 255, 2},          /* change_temperature */
	{1, 255, 10},         /* change_humidity */
	{1, 255, 20},         /* change_illuminance */
	{DHT11, DHT22, DHT22} /* dht */
};

#define NUMBER_COUNT ((uint8_t)(sizeof numbers / sizeof *numbers))
#define SAFE_FIRST   4
#define SAFE_COUNT   5

_Static_assert(offsetof(struct settings, port) + 2 * sizeof numbers / sizeof *numbers == sizeof(struct settings),
               "a row per number, and no gaps");
_Static_assert(offsetof(struct settings, safe) == offsetof(struct settings, port) + 2 * SAFE_FIRST, "as in the struct");

/* Not in line: a call is shorter. */
__attribute__((noinline)) static uint8_t text_fact(uint8_t index, uint8_t which)
{
	return pgm_read_byte(&texts[index][which]);
}

__attribute__((noinline)) static uint16_t number_fact(uint8_t index, uint8_t which)
{
	uint16_t fact;

	memcpy_P(&fact, &numbers[index][which], sizeof fact);
	return fact;
}

static bool is_safe(uint8_t index)
{
	return (uint8_t)(index - SAFE_FIRST) < SAFE_COUNT;
}

static uint16_t *number_of(const struct settings *settings, uint8_t index)
{
	return (uint16_t *)settings + offsetof(struct settings, port) / 2 + index;
}

void settings_default(struct settings *settings)
{
	memset(settings, 0, sizeof *settings);
	for (uint8_t i = 0; i < NUMBER_COUNT; i++)
		*number_of(settings, i) = number_fact(i, STANDARD);
}

/* ---- from text ---- */

static bool text_set(struct settings *settings, uint8_t index, const char *value)
{
	uint8_t kind = text_fact(index, KIND), most = text_fact(index, MOST_BYTES);

	if (strlen(value) > most || (*value == '\0' && kind != HIDDEN))
		return false;
	for (; kind < (uint8_t)HIDDEN; kind++)
		if (strchr(value, pgm_read_byte(&forbidden[kind])) != NULL)
			return false;
	/* Fills up with zeros: nothing of a longer one that was there is to stay. */
	strncpy((char *)settings + text_fact(index, OFFSET), value, most + 1U);
	return true;
}

static bool number_set(struct settings *settings, uint8_t index, const char *value)
{
	uint16_t number = KEEP;

	if (!is_safe(index) || strcmp_P(value, FLASH_TEXT("keep")) != 0) {
		if (!text_parse_unsigned(value, (uint8_t)strlen(value), &number) || number < number_fact(index, LEAST) ||
		    number > number_fact(index, MOST))
			return false;
	}
	*number_of(settings, index) = number;
	return true;
}

bool settings_set(struct settings *settings, const char *name, const char *value)
{
	uint8_t index = names_find(names, name);

	if (index < TEXT_COUNT)
		return text_set(settings, index, value);
	index = (uint8_t)(index - TEXT_COUNT);
	return index < NUMBER_COUNT && number_set(settings, index, value);
}

/* ---- as text ---- */

static void show_number(uint8_t index, uint16_t number)
{
	if (number == KEEP && is_safe(index))
		say(FLASH_TEXT("keep"));
	else
		say_number(number);
}

static void show_bounds(uint16_t least, uint16_t most)
{
	say_number(least);
	say(FLASH_TEXT(" to "));
	say_number(most);
}

void settings_wanted(const char *name)
{
	uint8_t index = names_find(names, name);

	if (index < TEXT_COUNT) {
		uint8_t kind = text_fact(index, KIND);

		show_bounds(1, text_fact(index, MOST_BYTES));
		say(FLASH_TEXT(" bytes"));
		if (kind < HIDDEN)
			say(FLASH_TEXT(" without "));
		say(kind == HIDDEN ? FLASH_TEXT(", or none") : forbidden + kind);
	} else if ((index = (uint8_t)(index - TEXT_COUNT)) < NUMBER_COUNT) {
		show_bounds(number_fact(index, LEAST), number_fact(index, MOST));
		if (is_safe(index))
			say(FLASH_TEXT(", or keep"));
	} else {
		say(FLASH_TEXT("a NAME that show lists, and a VALUE"));
	}
}

void settings_show(const struct settings *settings)
{
	for (uint8_t i = 0; i < TEXT_COUNT + NUMBER_COUNT; i++) {
		uint8_t index = (uint8_t)(i - TEXT_COUNT);

		say(names_at(names, i));
		say(FLASH_TEXT(" = "));
		if (index < NUMBER_COUNT) {
			show_number(index, *number_of(settings, index));
		} else {
			const char *value = (const char *)settings + text_fact(i, OFFSET);

			if (text_fact(i, KIND) != HIDDEN)
				text_string(uart_sink(), value);
			else if (*value != '\0')
				say(FLASH_TEXT("(set)"));
		}
		say_byte('\n');
	}
}

const char *settings_missing(const struct settings *settings)
{
	for (uint8_t i = 0; i < TEXT_COUNT; i++)
		if (text_fact(i, KIND) != HIDDEN && ((const char *)settings)[text_fact(i, OFFSET)] == '\0')
			return names_at(names, i);
	return NULL;
}
