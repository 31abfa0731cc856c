/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * action: what a rule sends, and when: edges, `always`, `for`, and a config that changes. Two rules on one actuator and the
 * automation switch are in actuator_test.c.
 */
#include "rules_bench.h"

/* ---- edges ---- */

static const struct step fires_on_edges_with_hysteresis[] = {
	RULES(A, "{'name':'cool','when':{'above':28,'hysteresis':1},'then':[{'set':'hall/fan/motor','to':1}],"
             "'else':[{'set':'hall/fan/motor','to':0}]}"),
	VALUE(0, A, "27.5", "hall/fan/motor=0"), /* a latch not known yet resolves without hysteresis */
	VALUE(1, A, "28", ""),
	VALUE(2, A, "28.5", "hall/fan/motor=1"),
	VALUE(3, A, "31", ""),
	VALUE(4, A, "27.5", ""),
	VALUE(5, A, "27.01", ""),
	VALUE(6, A, "27", "hall/fan/motor=0"),
	VALUE(7, A, "20", ""),
	VALUE(8, A, "28.01", "hall/fan/motor=1"),
};

static const struct step first_evaluation_may_be_true[] = {
	RULES(A, "{'name':'dark','when':{'at_most':50},'then':[{'set':'hall/lamp/led','to':'on'}],"
             "'else':[{'set':'hall/lamp/led','to':'off'}]}"),
	VALUE(0, A, "50", LAMP "=on"),
	VALUE(1, A, "50.5", LAMP "=off"),
};

static const struct step then_without_else[] = {
	RULES(A, SWITCH_ON("r", "", "1")), VALUE(0, A, "0", ""), VALUE(1, A, "1", LAMP "=1"), VALUE(2, A, "0", ""),
	VALUE(3, A, "1", LAMP "=1"),
};

static const struct step else_without_then[] = {
	RULES(A, "{'name':'r','when':{'equals':1},'else':[{'set':'hall/lamp/led','to':5}]}"),
	VALUE(0, A, "1", ""),
	VALUE(1, A, "0", LAMP "=5"),
	VALUE(2, A, "1", ""),
	VALUE(3, A, "0", LAMP "=5"),
};

static const struct step many_actions_leave_in_their_order[] = {
	RULES(A, "{'name':'fire','when':{'equals':'on'},'then':[{'set':'hall/fan/motor','to':1},"
             "{'set':'hall/door/door','to':'open'},{'set':'hall/door/buzzer','to':'alarm'}],"
             "'else':[{'set':'hall/door/buzzer','to':'off'}]}"),
	VALUE(0, A, "1", "hall/fan/motor=1 hall/door/door=open hall/door/buzzer=alarm"),
	VALUE(1, A, "off", "hall/door/buzzer=off"),
};

static const struct step several_rules_read_one_sensor[] = {
	RULES(A, "{'name':'hot','when':{'above':30},'then':[{'set':'hall/fan/motor','to':1}]},"
             "{'name':'cold','when':{'below':10},'then':[{'set':'hall/heater/relay','to':1}]}"),
	VALUE(0, A, "31", "hall/fan/motor=1"),
	VALUE(1, A, "9", "hall/heater/relay=1"),
	VALUE(2, A, "31", "hall/fan/motor=1"),
};

static const struct step another_topic_is_read_too[] = {
	RULES(A, "{'name':'window','when':{'above':{'topic':'yard/kma/temperature','plus':0.5},'hysteresis':0.5},"
             "'then':[{'set':'hall/win/window','to':'open'}],'else':[{'set':'hall/win/window','to':'closed'}]}"),
	VALUE(0, A, "25", ""), /* undetermined: the reference is missing */
	VALUE(1, "yard/kma/temperature", "24", "hall/win/window=open"),
	VALUE(2, "yard/kma/temperature", "24.9", ""),
	VALUE(3, "yard/kma/temperature", "25", "hall/win/window=closed"),
	VALUE(4, A, "26", "hall/win/window=open"),
};

static const struct step a_stale_reference_keeps_the_latch[] = {
	CONFIG("yard/kma/temperature", "{'stale_after':10}"),
	RULES(A, "{'name':'window','when':{'above':{'topic':'yard/kma/temperature'}},"
             "'then':[{'set':'hall/win/window','to':1}],'else':[{'set':'hall/win/window','to':0}]}"),
	VALUE(0, "yard/kma/temperature", "20", ""),
	VALUE(10000, A, "25", "hall/win/window=1"),
	VALUE(10001, A, "15", ""),
	VALUE(10002, "yard/kma/temperature", "20", "hall/win/window=0"),
};

/* ---- always ---- */

static const struct step always_follows_clamped_and_only_on_change[] = {
	RULES(A, DIM("")),
	VALUE(0, A, "0", LAMP "=255"),
	VALUE(1, A, "-5", ""),
	VALUE(2, A, "25", LAMP "=128"), /* 127.5: half away from zero */
	VALUE(3, A, "25.05", LAMP "=127"),
	VALUE(4, A, "25.06", ""),
	VALUE(5, A, "50", LAMP "=0"),
	VALUE(6, A, "1000", ""),
	VALUE(7, A, "49.9", LAMP "=1"),
};

static const struct step always_with_digits[] = {
	RULES(A, DIM(",'digits':1")),
	VALUE(0, A, "25", LAMP "=127.5"),
	VALUE(1, A, "25.001", ""),
	VALUE(2, A, "25.02", LAMP "=127.4"),
};

static const struct step always_reads_words_that_mean_numbers[] = {
	RULES(A, "{'name':'r','always':[{'set':'hall/lamp/led','scale':{'from':[0,1],'to':[0,100]}}]}"),
	VALUE(0, A, "on", LAMP "=100"),
	VALUE(1, A, "closed", LAMP "=0"),
};

static const struct step always_and_a_condition_in_one_rule[] = {
	RULES(A, "{'name':'r','when':{'above':40},'then':[{'set':'hall/buzzer/b','to':1}],"
             "'else':[{'set':'hall/buzzer/b','to':0}],"
             "'always':[{'set':'hall/lamp/led','scale':{'from':[0,50],'to':[0,50]}}]}"),
	VALUE(0, A, "10", "hall/buzzer/b=0 " LAMP "=10"),
	VALUE(1, A, "41", "hall/buzzer/b=1 " LAMP "=41"),
	VALUE(2, A, "41", ""),
	VALUE(3, A, "42", LAMP "=42"),
};

/* ---- for ---- */

static const struct step for_fires_on_a_tick[] = {
	RULES(A, SLOW),
	VALUE(0, A, "29", ""),
	TICK(4999, ""),
	TICK(5000, LAMP "=1"),
	TICK(5100, ""),
	TICK(10000, ""),
	VALUE(10001, A, "30", ""),
	VALUE(10002, A, "28", LAMP "=0"), /* else is at once */
};

static const struct step for_fires_on_a_reading_that_comes_first[] = {
	RULES(A, SLOW), VALUE(0, A, "29", ""), VALUE(5000, A, "29", LAMP "=1"), TICK(5001, ""), TICK(9000, ""),
};

static const struct step for_starts_again_after_a_break[] = {
	RULES(A, SLOW),           VALUE(0, A, "20", LAMP "=0"),
	VALUE(1000, A, "29", ""), VALUE(3000, A, "28", ""), /* back: nothing fires, since nothing was true */
	VALUE(4000, A, "29", ""), TICK(6000, ""),           /* 5 s after the first start */
	TICK(8999, ""),           TICK(9000, LAMP "=1"),
};

static const struct step several_timers_run_at_once[] = {
	RULES(A, "{'name':'a','when':{'above':28,'for':5},'then':[{'set':'hall/lamp/led','to':1}]},"
             "{'name':'b','when':{'above':28,'for':2},'then':[{'set':'hall/fan/motor','to':1}]}"),
	RULES(B, "{'name':'c','when':{'above':28,'for':3},'then':[{'set':'hall/win/window','to':1}]}"),
	VALUE(0, A, "29", ""),
	VALUE(100, B, "29", ""),
	TICK(2000, "hall/fan/motor=1"),
	VALUE(2500, B, "1", ""),
	TICK(4000, ""),
	TICK(5000, LAMP "=1"),
	TICK(9000, ""),
};

static const struct step a_timer_behind_a_shut_gate[] = {
	RULES(A, SLOW), AUTO("hall", "0", ""), VALUE(0, A, "29", ""), TICK(5000, ""), AUTO("hall", "1", LAMP "=1"),
};

/* ---- a config that changes ---- */

static const struct step an_unchanged_rule_keeps_its_latch[] = {
	RULES(A, SWITCH("a", "", "1", "0")),
	VALUE(0, A, "1", LAMP "=1"),
	RULES(A, "{'name':'new','when':{'equals':1},'then':[{'set':'hall/fan/motor','to':1}]}," SWITCH("a", "", "1", "0")),
	VALUE(1, A, "1", "hall/fan/motor=1"),
	VALUE(2, A, "0", LAMP "=0"),
	CONFIG(A, "{'rules':[" SWITCH("a", "", "1", "0") "],'min':-5}"),
	VALUE(3, A, "0", ""),
	OVERRIDE(LAMP),
	AUTO("hall", "0", ""),
	AUTO("hall", "1", LAMP "=0"), /* the else that spoke last is taken over */
};

static const struct step an_unchanged_rule_keeps_its_timer[] = {
	RULES(A, SLOW), VALUE(0, A, "29", ""), CONFIG(A, "{'rules':[" SLOW "],'unit':'°C'}"),
	TICK(4999, ""), TICK(5000, LAMP "=1"),
};

static const struct step an_unchanged_always_is_not_repeated[] = {
	RULES(A, DIM("")),     VALUE(0, A, "50", LAMP "=0"),  CONFIG(A, "{'rules':[" DIM("") "],'max':100}"),
	VALUE(1, A, "50", ""), VALUE(2, A, "0", LAMP "=255"),
};

static const struct step a_changed_rule_starts_anew[] = {
	RULES(A, SWITCH("a", "", "1", "0")), VALUE(0, A, "1", LAMP "=1"),         RULES(A, SWITCH("a", "", "2", "0")),
	VALUE(1, A, "1", LAMP "=2"),         RULES(A, SWITCH("b", "", "2", "0")), VALUE(2, A, "0", LAMP "=0"),
};

static const struct step a_changed_rules_timer_ends[] = {
	RULES(A, SLOW), VALUE(0, A, "29", ""),    RULES(A, SWITCH("a", "", "1", "0")), TICK(5000, ""), CONFIG(A, ""),
	TICK(6000, ""), VALUE(7000, A, "29", ""),
};

static const struct step a_removed_rule_holds_nothing[] = {
	RULES(A, SWITCH("a", "'priority':9,", "1", "0")),
	RULES(B, SWITCH("b", "", "2", "0")),
	VALUE(0, A, "1", LAMP "=1"),
	CONFIG(A, ""),
	VALUE(1, A, "0", ""),
	VALUE(2, B, "1", LAMP "=2"),
	VALUE(3, B, "0", LAMP "=0"),
};

/* ---- what scenes do not show ---- */

static void a_command_says_who_decided_and_why(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	bench_config(&bench, A, "{'rules':[" SWITCH("who", "", "1", "0") "]}");
	bench_value(&bench, A, "1", 3, 0);
	assert_string_equal(bench.last.topic, LAMP "/set");
	assert_string_equal(bench.last.rule->name, "who");
	assert_ptr_equal(bench.last.cause, bench_series(&bench, A));
	assert_int_equal(bench.last.hop, 4);

	action_set_auto(bench.action, slice_of("all"), false, 0);
	bench_value(&bench, A, "0", 0, 0);
	assert_int_equal(action_commands(bench.action), 1);
	action_set_auto(bench.action, slice_of("all"), true, 0);
	assert_null(bench.last.cause);
	assert_int_equal(bench.last.hop, 1);
	assert_int_equal(action_commands(bench.action), 2);
	assert_int_equal(bench.commands, 2);
	bench_remove(&bench);
}

static void the_ninth_hop_is_cut_and_reported_once(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	bench_config(&bench, A, "{'rules':[" SWITCH("ring", "", "1", "0") "]}");
	bench_value(&bench, A, "1", ACTION_HOPS_MAX - 1, 0);
	assert_int_equal(bench.commands, 1);
	assert_int_equal(bench.loops, 0);
	for (int i = 0; i < 5; i++)
		bench_value(&bench, A, i % 2 ? "1" : "0", ACTION_HOPS_MAX, 0);
	assert_int_equal(bench.commands, 1);
	assert_int_equal(bench.loops, 1);
	assert_string_equal(bench.loop_rule, "ring");
	assert_int_equal(action_commands(bench.action), 1);

	bench_config(&bench, A, "{'rules':[" SWITCH("ring", "", "2", "0") "]}"); /* another rule: told again */
	bench_value(&bench, A, "1", ACTION_HOPS_MAX, 0);
	assert_int_equal(bench.loops, 2);
	bench_remove(&bench);
}

static void the_next_timer_is_known(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	assert_int_equal(action_next_due(bench.action), INT64_MAX);
	bench_config(&bench, A, "{'rules':[" SLOW "]}");
	bench_config(&bench, B,
	             "{'rules':[{'name':'b','when':{'above':28,'for':2},'then':[{'set':'hall/fan/motor','to':1}]}]}");
	bench_value(&bench, A, "29", 0, 0);
	assert_int_equal(action_next_due(bench.action), BENCH_MS + 5000);
	bench_value(&bench, B, "29", 0, 1);
	assert_int_equal(action_next_due(bench.action), BENCH_MS + 2001);
	action_tick(bench.action, BENCH_MS + 2001);
	assert_int_equal(action_next_due(bench.action), BENCH_MS + 5000);
	bench_config(&bench, A, "");
	action_tick(bench.action, BENCH_MS + 5000);
	assert_int_equal(action_next_due(bench.action), INT64_MAX);
	assert_string_equal(bench.sent, "hall/fan/motor=1");
	bench_remove(&bench);
}

static void switches_are_on_until_turned_off(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	assert_true(action_auto(bench.action, slice_of("all")));
	assert_true(action_auto(bench.action, slice_of("거실")));
	assert_true(action_set_auto(bench.action, slice_of("거실"), false, 0));
	assert_false(action_auto(bench.action, slice_of("거실")));
	assert_true(action_auto(bench.action, slice_of("hall")));
	assert_true(action_auto(bench.action, slice_of("all")));
	assert_true(action_set_auto(bench.action, slice_of("all"), false, 0));
	assert_true(action_auto(bench.action, slice_of("hall"))); /* that switch alone */
	bench_remove(&bench);
	action_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(fires_on_edges_with_hysteresis),
		SCENE(first_evaluation_may_be_true),
		SCENE(then_without_else),
		SCENE(else_without_then),
		SCENE(many_actions_leave_in_their_order),
		SCENE(several_rules_read_one_sensor),
		SCENE(another_topic_is_read_too),
		SCENE(a_stale_reference_keeps_the_latch),
		SCENE(always_follows_clamped_and_only_on_change),
		SCENE(always_with_digits),
		SCENE(always_reads_words_that_mean_numbers),
		SCENE(always_and_a_condition_in_one_rule),
		SCENE(for_fires_on_a_tick),
		SCENE(for_fires_on_a_reading_that_comes_first),
		SCENE(for_starts_again_after_a_break),
		SCENE(several_timers_run_at_once),
		SCENE(a_timer_behind_a_shut_gate),
		SCENE(an_unchanged_rule_keeps_its_latch),
		SCENE(an_unchanged_rule_keeps_its_timer),
		SCENE(an_unchanged_always_is_not_repeated),
		SCENE(a_changed_rule_starts_anew),
		SCENE(a_changed_rules_timer_ends),
		SCENE(a_removed_rule_holds_nothing),
		cmocka_unit_test(a_command_says_who_decided_and_why),
		cmocka_unit_test(the_ninth_hop_is_cut_and_reported_once),
		cmocka_unit_test(the_next_timer_is_known),
		cmocka_unit_test(switches_are_on_until_turned_off),
	};
	return cmocka_run_group_tests_name("action", tests, NULL, NULL);
}
