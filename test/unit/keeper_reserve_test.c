/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper_reserve: how far the store was some minutes ago, asked at any pace.
 */
#include "keeper_reserve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEN_MINUTES 600000

static void nothing_is_known_at_first(void **state)
{
	(void)state;
	struct reserve reserve = {0};
	for (int64_t ms = 1; ms < TEN_MINUTES; ms += 1000)
		assert_int_equal(reserve_pass(&reserve, 5000, TEN_MINUTES, ms), 0);
	assert_int_equal(reserve_pass(&reserve, 5000, TEN_MINUTES, 1 + TEN_MINUTES), 5000);
}

/* The store is at position ms at each moment, so that the answer is the moment that it is of. */
static void the_answer_is_never_younger_and_little_older(void **state)
{
	(void)state;
	static const int64_t paces[] = {1, 10, 100, 999, 20000, 100000};
	for (size_t i = 0; i < sizeof paces / sizeof paces[0]; i++) {
		struct reserve reserve = {0};
		int64_t slack = TEN_MINUTES / (RESERVE_MARKS - 1) + 2 * paces[i] + 2;
		for (int64_t ms = 1; ms < 4 * TEN_MINUTES; ms += paces[i]) {
			int64_t was = (int64_t)reserve_pass(&reserve, (uint64_t)ms, TEN_MINUTES, ms);
			assert_true(was == 0 || ms - was >= TEN_MINUTES);
			if (ms > TEN_MINUTES + slack)
				assert_true(was > 0 && ms - was <= TEN_MINUTES + slack);
		}
	}
}

static void a_short_reserve_works_too(void **state)
{
	(void)state;
	struct reserve reserve = {0};
	assert_int_equal(reserve_pass(&reserve, 1, 1, 10), 0);
	assert_int_equal(reserve_pass(&reserve, 2, 1, 11), 1);
	assert_int_equal(reserve_pass(&reserve, 3, 1, 1000), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_at_first),
		cmocka_unit_test(the_answer_is_never_younger_and_little_older),
		cmocka_unit_test(a_short_reserve_works_too),
	};
	return cmocka_run_group_tests_name("keeper_reserve", tests, NULL, NULL);
}
