/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control: what requests may cost, by user: purses and debts, and that nobody's requests hold up an administrator's.
 */
#include "control_budget.h"
#include "control_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- purses ---- */

static void a_debt_is_bounded_and_paid_off(void **state)
{
	static struct budgets budgets;
	(void)state;
	budgets_init(&budgets);
	struct purse *purse = budgets_purse(&budgets, "gus", false, 1000);
	assert_int_equal(budgets_share(&budgets, purse, 1, 1), BUDGET_MAX);
	assert_int_equal(budgets_share(&budgets, purse, 4, 4), BUDGET_MAX / 4);
	assert_int_equal(budgets_share(&budgets, purse, 1000, 1000), 100);
	budgets_spend(&budgets, purse, INT64_C(1) << 40);
	assert_int_equal(purse->budget.left, -BUDGET_DEBT_MAX);
	assert_int_equal(budgets.others.left, -BUDGET_DEBT_MAX);
	assert_int_equal(budgets_share(&budgets, purse, 1, 1), 0);
	assert_true(purse_is_overdrawn(purse));

	int64_t paid_ms = 1000 + (BUDGET_DEBT_MAX - BUDGET_DEBT) / BUDGET_PER_MS;
	assert_true(purse_is_overdrawn(budgets_purse(&budgets, "gus", false, paid_ms - 1)));
	assert_false(purse_is_overdrawn(budgets_purse(&budgets, "gus", false, paid_ms)));
	assert_int_equal(budgets_share(&budgets, budgets_purse(&budgets, "gus", false, paid_ms), 1, 1), 0);
	assert_int_equal(budgets_share(&budgets, budgets_purse(&budgets, "gus", false, INT64_MAX / 2), 1, 1), BUDGET_MAX);
	assert_int_equal(budgets_purse(&budgets, "gus", false, 0)->budget.left, BUDGET_MAX); /* a clock that goes back */
}

static void administrators_pay_for_themselves_alone(void **state)
{
	static struct budgets budgets;
	(void)state;
	budgets_init(&budgets);
	budgets_spend(&budgets, budgets_purse(&budgets, "gus", false, 1000), 20000);
	budgets_spend(&budgets, budgets_purse(&budgets, "rita", false, 1000), 6000);
	struct purse *mark = budgets_purse(&budgets, "mark", false, 1000);
	assert_int_equal(budgets_share(&budgets, mark, 1, 1), 0);
	assert_false(budgets_are_overdrawn(&budgets, mark)); /* he has spent nothing yet */
	assert_true(budgets_are_overdrawn(&budgets, budgets_purse(&budgets, "rita", false, 1000)));
	struct purse *anna = budgets_purse(&budgets, "anna", true, 1000);
	assert_int_equal(budgets_share(&budgets, anna, 1, 1000), BUDGET_MAX);
	budgets_spend(&budgets, anna, 20000);
	assert_int_equal(budgets.others.left, BUDGET_MAX - 26000);
	assert_false(budgets_are_overdrawn(&budgets, anna));
	assert_true(purse_is_overdrawn(anna));
}

static void who_is_in_debt_keeps_his_purse(void **state)
{
	static struct budgets budgets;
	char name[32];
	(void)state;
	budgets_init(&budgets);
	budgets_spend(&budgets, budgets_purse(&budgets, "gus", false, 1000), 20000);
	for (int i = 0; i < 3 * BUDGET_PURSES; i++) {
		snprintf(name, sizeof name, "user%d", i);
		assert_int_equal(budgets_purse(&budgets, name, false, 1000)->budget.left, BUDGET_MAX);
	}
	assert_int_equal(budgets_purse(&budgets, "gus", false, 1000)->budget.left, BUDGET_MAX - 20000);
}

/* ---- requests ---- */

static int make(void **state)
{
	static struct scene scene;
	scene_make(&scene, false);
	*state = &scene;
	return 0;
}

static int dispose(void **state)
{
	scene_remove(*state);
	return 0;
}

static size_t answers_with(const struct scene *scene, const char *text)
{
	size_t count = 0;
	for (size_t i = scene->told; i < fake_responses(); i++)
		count += strstr(fake_response_at(i)->payload, text) != NULL;
	return count;
}

#define FLOOD 4000

static void a_flood_is_refused_unread(void **state)
{
	static char junk[16384];
	struct scene *scene = *state;

	memset(junk, '[', sizeof junk);
	scene_slow(1000); /* to read one */
	for (int i = 0; i < FLOOD; i++)
		scene_send(scene, "gus", (struct slice){junk, sizeof junk});
	assert_int_equal(fake_responses(), FLOOD); /* each has its answer */
	assert_in_range(answers_with(scene, "not valid JSON"), 1, FLOOD / 10);
	assert_true(answers_with(scene, "come again in a moment") > FLOOD / 2);
	scene->told = fake_responses();
	/* an administrator notices nothing of it */
	scene_send(scene, "anna", slice_of("{\"commands\":[{\"command\":\"whoAmI\"}]}"));
	assert_true(scene_answered(scene));
	assert_non_null(strstr(scene_answer(scene), "\"username\":\"anna\""));
	assert_non_null(strstr(scene_ask(scene, "mark", "whoAmI"), "\"username\":\"mark\""));
	/* and the guest is soon a guest like others */
	scene_slow(0);
	scene->ahead_ms += 2 * BUDGET_DEBT_MAX / BUDGET_PER_MS;
	assert_non_null(strstr(scene_ask(scene, "gus", "whoAmI"), "\"username\":\"gus\""));
}

/* However long a change takes, the thread does no two of them in a row, and other clients' messages come in between. */
static void changes_that_take_long_are_made_one_a_tick(void **state)
{
	struct scene *scene = *state;
	const struct account_table *table = access_accounts(scene->access);
	char request[4096], *end = request;

	end += sprintf(end, "{\"commands\":[");
	for (int i = 0; i < 20; i++)
		end +=
			sprintf(end, "%s{\"command\":\"addDevice\",\"location\":\"hall\",\"device\":\"d%d\"}", i > 0 ? "," : "", i);
	memcpy(end, "]}", sizeof "]}");
	scene_slow(30000);
	size_t before = account_count(table);
	scene_send(scene, "anna", slice_of(request));
	assert_in_range(account_count(table) - before, 0, 1);
	while (account_count(table) < before + 20) { /* the disk has its time, not the clock's */
		size_t count = account_count(table);
		scene->ahead_ms += 10;
		scene_tick(scene);
		assert_in_range(account_count(table) - count, 0, 1);
	}
	assert_non_null(strstr(scene_answer(scene), "\"secret\""));
	/* who waits for his answers is never refused */
	for (int i = 0; i < 5; i++)
		assert_non_null(strstr(scene_ask(scene, "anna", "newSecret 'location':'hall','device':'d1'"), "\"secret\""));
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, make, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_debt_is_bounded_and_paid_off),  cmocka_unit_test(administrators_pay_for_themselves_alone),
		cmocka_unit_test(who_is_in_debt_keeps_his_purse),  SCENE(a_flood_is_refused_unread),
		SCENE(changes_that_take_long_are_made_one_a_tick),
	};
	return cmocka_run_group_tests_name("control_budget", tests, NULL, NULL);
}
