/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * selftest: see selftest.h. The actuators come first: that takes longer than the DHT's three attempts in a row (6 s), so a sensor that is
 * then said to have failed, or not to have, was so during the test. An actuator cannot answer: whether it moved, people see.
 */
#include "selftest.h"

#include "actuators.h"
#include "clock.h"
#include "flash.h"
#include "say.h"
#include "sensors.h"
#include "uart.h"

_Static_assert(2UL * ACTUATOR_COUNT * SELFTEST_STEP_MS > 7000, "the sensors' samples must be of this test");

#define FULL 1 /* of every actuator: on, open */

static struct {
	uint16_t next;  /* when the next step is due */
	int16_t before; /* the level to go back to */
	uint8_t step;   /* twice the actuator, and 1 when it goes back */
} selftest;

static void write_sensors(void)
{
	for (uint8_t i = 0; i < (uint8_t)SENSOR_COUNT; i++) {
		struct sensor_sample sample = sensor_take((enum sensor)i);

		say(sensor_name((enum sensor)i));
		say_byte(' ');
		if (sample.failed)
			say(FLASH_TEXT("no answer"));
		else
			sensor_write(uart_sink(), (enum sensor)i, sample.value);
		say_byte('\n');
	}
}

void selftest_start(uint16_t now_ms)
{
	selftest.step = 0;
	selftest.next = now_ms;
}

bool selftest_poll(uint32_t now_ms)
{
	enum actuator actuator = (enum actuator)(selftest.step / 2);
	int16_t level, test_level;

	if (!clock_reached_short((uint16_t)now_ms, selftest.next))
		return false;
	selftest.next = (uint16_t)(now_ms + SELFTEST_STEP_MS);
	if (actuator == ACTUATOR_COUNT) {
		write_sensors();
		return true;
	}
	level = actuator_level(actuator);
	if (selftest.step % 2 == 0) {
		say_line(actuator_name(actuator));
		if (level == ACTUATOR_UNKNOWN)
			level = 0;
		selftest.before = level;
	}
	/* Off or closed if it was anything else. */
	test_level = selftest.before == 0 ? FULL : 0;
	if (selftest.step++ % 2 == 0)
		actuator_set(actuator, test_level);
	else if (level == test_level) /* else somebody has commanded it meanwhile, and that stays */
		actuator_set(actuator, selftest.before);
	return false;
}
