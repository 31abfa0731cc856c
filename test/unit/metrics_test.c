/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * metrics_test: every metric has a topic of its own, is retained, and is published again only if it changed.
 */
#include "fake_broker.h"
#include "metrics.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void all_are_published_first_and_then_what_changed(void **state)
{
	struct metrics metrics = {0};
	struct metric_values values = {{[METRIC_RECEIVED] = 7, [METRIC_JOURNAL_QUOTA] = UINT64_MAX}};
	(void)state;

	fake_broker_reset();
	metrics_publish(&metrics, &values, &fake_broker);
	assert_int_equal(fake_publishes(), METRIC_COUNT);
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		const struct fake_publish *published = fake_publish_at(i);
		assert_string_equal(published->topic, metric_topic((enum metric)i));
		assert_int_equal(strncmp(published->topic, "$SYS/broker/hearth/", 19), 0);
		assert_true(published->retain);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(published->topic, fake_publish_at(j)->topic);
	}
	assert_string_equal(fake_publish_at(METRIC_RECEIVED)->payload, "7");
	assert_string_equal(fake_publish_at(METRIC_LOST)->payload, "0");
	assert_string_equal(fake_publish_at(METRIC_JOURNAL_QUOTA)->payload, "18446744073709551615");

	fake_broker_said();
	metrics_publish(&metrics, &values, &fake_broker);
	assert_string_equal(fake_broker_said(), "");
	values.of[METRIC_LAG] = 3;
	values.of[METRIC_RECEIVED] = 8;
	metrics_publish(&metrics, &values, &fake_broker);
	assert_string_equal(fake_broker_said(),
	                    "$SYS/broker/hearth/readings/received=8 (retained); $SYS/broker/hearth/store/lag=3 (retained)");
	fake_broker_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_published_first_and_then_what_changed),
	};
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
