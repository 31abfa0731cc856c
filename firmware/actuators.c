/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * actuators: see actuators.h. A command becomes a level (actuator_parse), a level becomes what the pins do
 * (actuator_set) and what is said about it (actuator_write).
 *
 * Time is needed by two only, and goes in slots of 4 ms, which fit into a byte: a servo holds for a second after its last
 * command, and the alarm changes its tone.
 */
#include "actuators.h"

#include "outputs.h"
#include "words.h"

#define SLOT_MS    4
#define HOLD_SLOTS (1000 / SLOT_MS + 1) /* the first may have been nearly over */

#define BUZZER_HZ       2000
#define BUZZER_HZ_LEAST 500
#define BUZZER_HZ_MOST  5000
#define ALARM_HZ_HIGH   2500
#define ALARM_BIT       64 /* of the slot's number: 256 ms of each tone */

#define DUTY_FULL    255
#define PERCENT_FULL 100

_Static_assert((int)WORD_SENSORS == (int)ACTUATOR_COUNT, "the words begin with the actuators' names");
_Static_assert(HOLD_SLOTS <= UINT8_MAX, "a servo's slots must fit a byte");

static const struct settings *wiring;
static int16_t levels[ACTUATOR_COUNT] = {[ACTUATOR_WINDOW] = ACTUATOR_UNKNOWN, [ACTUATOR_DOOR] = ACTUATOR_UNKNOWN};
static uint8_t slot;    /* the number of the one we are in */
static uint8_t held[2]; /* slots that window and door are held for yet */

const char *actuator_name(enum actuator actuator)
{
	return word_text((uint8_t)actuator);
}

const char *actuator_wanted(enum actuator actuator)
{
	return word_text((uint8_t)(WORD_WANTED + actuator));
}

enum actuator actuator_find(const char *name, uint8_t length)
{
	uint8_t word = word_find(name, length);
	return word < ACTUATOR_COUNT ? (enum actuator)word : ACTUATOR_COUNT;
}

/* And all other control characters. */
static bool is_space(char c)
{
	return (uint8_t)c <= ' ';
}

static bool in_range(enum actuator actuator, int16_t level)
{
	int16_t most = DUTY_FULL;

	if ((uint16_t)level <= 1)
		return true;
	if (actuator == ACTUATOR_BUZZER) {
		if (level < BUZZER_HZ_LEAST)
			return false;
		most = BUZZER_HZ_MOST;
	} else if (actuator == ACTUATOR_MOTOR) {
		level = (int16_t)(level < 0 ? -level : level);
	} else if (actuator != ACTUATOR_LED) {
		most = PERCENT_FULL;
	}
	return (uint16_t)level <= (uint16_t)most;
}

bool actuator_parse(enum actuator actuator, const char *text, uint8_t length, int16_t *level)
{
	for (; length > 0 && is_space(*text); length--)
		text++;
	while (length > 0 && is_space(text[length - 1]))
		length--;

	uint8_t word = word_find(text, length);
	int16_t number;

	if (word == WORD_ALARM && actuator == ACTUATOR_BUZZER)
		number = BUZZER_ALARM;
	else if (word >= WORD_OFF && word < WORD_ALARM)
		number = word >= WORD_ON ? 1 : 0;
	else if (!text_parse(text, length, &number) || !in_range(actuator, number))
		return false;
	*level = number;
	return true;
}

static bool is_servo(enum actuator actuator)
{
	return actuator == ACTUATOR_WINDOW || actuator == ACTUATOR_DOOR;
}

void actuator_write(struct sink *sink, enum actuator actuator, int16_t level)
{
	uint8_t word = WORD_ALARM;

	if (is_servo(actuator) && (uint16_t)level <= 1)
		word = level == 0 ? WORD_CLOSED : WORD_OPEN;
	else if (actuator != ACTUATOR_BUZZER || level != BUZZER_ALARM) {
		text_signed(sink, level);
		return;
	}
	text_flash(sink, word_text(word));
}

void actuators_init(const struct settings *settings)
{
	wiring = settings;
}

/* In units of 4 µs, so that 100 times 2500 µs fit 16 bits. */
static void servo_set(uint8_t servo, uint8_t percent)
{
	const uint16_t *ends = &wiring->servo_us[2 * servo]; /* closed, open */

	outputs_servo(servo, (uint16_t)(ends[0] / 4 * (uint8_t)(PERCENT_FULL - percent) + ends[1] / 4 * percent) / 25);
	held[servo] = HOLD_SLOTS;
}

void actuator_set(enum actuator actuator, int16_t level)
{
	bool reverse = level < 0;
	uint8_t amount = (uint8_t)(reverse ? -level : level);

	levels[actuator] = level;
	if (actuator == ACTUATOR_BUZZER) {
		if (level != BUZZER_ALARM)
			outputs_tone(level == 1 ? BUZZER_HZ : (uint16_t)level);
		return;
	}
	if (is_servo(actuator)) {
		servo_set((uint8_t)(actuator - ACTUATOR_WINDOW), amount == 1 ? PERCENT_FULL : amount);
		return;
	}
	if (amount == 1)
		amount = DUTY_FULL;
	if (actuator == ACTUATOR_LED)
		outputs_led(amount);
	else
		outputs_motor(amount, reverse);
}

/* Not inline here and there: an index into an array costs more than a call. */
__attribute__((noinline)) int16_t actuator_level(enum actuator actuator)
{
	return levels[actuator];
}

static void next_slot(void)
{
	slot++;
	for (uint8_t servo = 0; servo < 2; servo++) {
		if (held[servo] != 0 && --held[servo] == 0)
			outputs_servo(servo, 0);
	}
	/* Said again and again, which does no harm, rather than remembered. */
	if (levels[ACTUATOR_BUZZER] == BUZZER_ALARM)
		outputs_tone(slot & ALARM_BIT ? ALARM_HZ_HIGH : BUZZER_HZ);
}

void actuators_poll(uint32_t now_ms)
{
	uint8_t now = (uint8_t)((uint16_t)now_ms / SLOT_MS);

	while (slot != now)
		next_slot();
}
