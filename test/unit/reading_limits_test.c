/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * reading_limits_test: which readings a config allows, and what is said of the others.
 */
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "reading_limits.h"

#include <cmocka.h>
#include <math.h>

static char celsius[] = "°C";

static void checks_unit_and_range(void **state)
{
	static const struct {
		const char *unit_stated;
		char *unit;
		double min, max, value;
		enum reading_error error;
		const char *wanted;
	} rows[] = {
		{"", NULL, -HUGE_VAL, HUGE_VAL, 1e300, READING_OK, NULL},
		{"", NULL, -40, 85, -40, READING_OK, NULL},
		{"", NULL, -40, 85, 85, READING_OK, NULL},
		{"", NULL, -40, 85, 85.1, READING_OUT_OF_RANGE, "a value from -40 to 85, as the config of this series says"},
		{"", NULL, -40, 85, -40.1, READING_OUT_OF_RANGE, "a value from -40 to 85, as the config of this series says"},
		{"", NULL, 0.5, HUGE_VAL, 0, READING_OUT_OF_RANGE,
	     "a value of at least 0.5, as the config of this series says"},
		{"", NULL, -HUGE_VAL, 7, 8, READING_OUT_OF_RANGE, "a value of at most 7, as the config of this series says"},
		{"", celsius, -40, 85, 20, READING_OK, NULL},
		{"°C", celsius, -40, 85, 20, READING_OK, NULL},
		{"°F", NULL, -40, 85, 20, READING_OK, NULL},
		{"°F", celsius, -40, 85, 20, READING_BAD_UNIT, "the unit °C, as the config of this series says"},
		{"°F", celsius, -40, 85, 200, READING_BAD_UNIT, "the unit °C, as the config of this series says"},
		{"°", celsius, -40, 85, 20, READING_BAD_UNIT, "the unit °C, as the config of this series says"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config config = {.unit = rows[i].unit, .min = rows[i].min, .max = rows[i].max};
		struct reading reading = {.value = value_of_number(rows[i].value), .unit = slice_of(rows[i].unit_stated)};
		char wanted[LIMITS_WANTED_MAX];
		enum reading_error error = limits_check(&config, &reading);
		assert_int_equal(error, rows[i].error);
		if (error == READING_OK)
			continue;
		limits_wanted(&config, error, wanted);
		assert_string_equal(wanted, rows[i].wanted);
	}
}

static void allows_all_without_config(void **state)
{
	struct reading reading = {.value = value_of_number(1e9), .unit = slice_of("furlong")};
	(void)state;
	assert_int_equal(limits_check(NULL, &reading), READING_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_unit_and_range),
		cmocka_unit_test(allows_all_without_config),
	};
	return cmocka_run_group_tests_name("reading_limits", tests, NULL, NULL);
}
