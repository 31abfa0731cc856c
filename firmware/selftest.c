/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * selftest: see selftest.h. The actuators come first: that takes longer than the DHT's three attempts in a row (6 s), so a sensor that is
 * then said to have failed, or not to have, was so during the test. An actuator cannot answer: whether it moved, people see.
 */
#include "selftest.h"

#include "actuators.h"
#include "clock.h"
#include "flash.h"
#include "sensors.h"

_Static_assert(2UL * ACTUATOR_COUNT * SELFTEST_STEP_MS > 7000, "the sensors' samples must be of this test");

static struct {
	uint32_t since; /* the last step */
	int16_t before; /* the level to go back to */
	uint8_t step;   /* twice the actuator, and 1 when it goes back */
} selftest;

static const int16_t levels[ACTUATOR_COUNT] FLASH = {
	[ACTUATOR_LED] = 255,  [ACTUATOR_MOTOR] = 200,   [ACTUATOR_WINDOW] = 100,
	[ACTUATOR_DOOR] = 100, [ACTUATOR_BUZZER] = 2000,
};

static enum actuator current(void)
{
	return (enum actuator)(selftest.step / 2);
}

/* What the actuator is to be while it is tested: off or closed if it was anything else. */
static int16_t test_level(void)
{
	int16_t level;

	if (selftest.before != 0 && selftest.before != ACTUATOR_UNKNOWN)
		return 0;
	memcpy_P(&level, &levels[current()], sizeof level);
	return level;
}

static void move(void)
{
	selftest.before = actuator_level(current());
	actuator_set(current(), test_level());
}

/* If it is not at the test's level any more, somebody else has commanded it. */
static void restore(void)
{
	if (actuator_level(current()) != test_level())
		return;
	if (selftest.before == ACTUATOR_UNKNOWN)
		selftest.before = 0;
	actuator_set(current(), selftest.before);
}

static void write_sensors(struct sink *sink)
{
	for (uint8_t i = 0; i < (uint8_t)SENSOR_COUNT; i++) {
		struct sensor_sample sample = sensor_take((enum sensor)i);

		text_flash(sink, sensor_name((enum sensor)i));
		if (sample.failed) {
			text_flash(sink, FLASH_TEXT(" no answer\n"));
			continue;
		}
		text_put(sink, ' ');
		sensor_write(sink, (enum sensor)i, sample.value);
		text_flash(sink, FLASH_TEXT(" ok\n"));
	}
}

void selftest_start(uint32_t now_ms)
{
	selftest.step = 0;
	selftest.since = now_ms;
	move();
}

bool selftest_poll(uint32_t now_ms, struct sink *sink)
{
	if (!clock_reached(now_ms, selftest.since + SELFTEST_STEP_MS))
		return false;
	selftest.since = now_ms;
	if (selftest.step % 2 == 0) {
		restore();
		text_flash(sink, actuator_name(current()));
		text_flash(sink, FLASH_TEXT(" ok\n"));
	}
	selftest.step++;
	if (selftest.step == 2 * ACTUATOR_COUNT) {
		write_sensors(sink);
		return true;
	}
	if (selftest.step % 2 == 0)
		move();
	return false;
}
