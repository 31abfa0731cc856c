/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * actuator: who wins where two rules claim one actuator, and what the automation switch keeps back; then the claims
 * themselves.
 */
#include "actuator.h"

#include "rules_bench.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* ---- two rules, one actuator ---- */

static const struct step the_latest_wins_and_release_hands_over[] = {
	RULES(A, SWITCH("a", "", "1", "0")), RULES(B, SWITCH("b", "", "2", "0")),
	VALUE(0, A, "1", LAMP "=1"),         VALUE(1, B, "1", LAMP "=2"),
	VALUE(2, B, "0", LAMP "=1"),                               /* a still holds: no else, back to what a wants */
	VALUE(3, B, "1", LAMP "=2"),         VALUE(4, A, "0", ""), /* b wins anyway */
	VALUE(5, B, "0", LAMP "=0"),
};

static const struct step else_waits_for_the_last_one[] = {
	RULES(A, SWITCH("a", "", "1", "10")),
	RULES(B, SWITCH("b", "", "1", "20")),
	VALUE(0, A, "1", LAMP "=1"),
	VALUE(1, B, "0", ""), /* first evaluation is false, but a holds and wants what was sent */
	VALUE(2, B, "1", LAMP "=1"),
	VALUE(3, A, "0", ""),
	VALUE(4, B, "0", LAMP "=20"),
};

static const struct step the_highest_priority_wins[] = {
	RULES(A, SWITCH("low", "", "1", "0")),
	RULES(B, SWITCH("high", "'priority':10,", "2", "0")),
	RULES(C, SWITCH("lowest", "'priority':-1,", "3", "0")),
	VALUE(0, B, "1", LAMP "=2"),
	VALUE(1, A, "1", ""), /* later, but lower */
	VALUE(2, C, "1", ""),
	VALUE(3, B, "0", LAMP "=1"),
	VALUE(4, C, "0", ""),
	VALUE(5, C, "1", ""),
	VALUE(6, A, "0", LAMP "=3"),
	VALUE(7, C, "0", LAMP "=0"),
};

static const struct step release_sends_only_what_differs[] = {
	RULES(A, SWITCH("a", "", "1", "0")),
	RULES(B, SWITCH("b", "'priority':1,", "1", "0")),
	VALUE(0, A, "1", LAMP "=1"),
	VALUE(1, B, "1", LAMP "=1"),
	VALUE(2, B, "0", ""), /* a wants the same */
	VALUE(3, A, "0", LAMP "=0"),
};

static const struct step a_rule_without_else_releases_too[] = {
	RULES(A, SWITCH_ON("a", "", "1")), RULES(B, SWITCH_ON("b", "", "2")), VALUE(0, A, "1", LAMP "=1"),
	VALUE(1, B, "1", LAMP "=2"),       VALUE(2, B, "0", LAMP "=1"),       VALUE(3, A, "0", ""),
};

static const struct step always_gives_way_to_a_higher_rule_and_comes_back[] = {
	RULES(A, DIM("")),
	RULES(B, SWITCH("b", "'priority':1,", "9", "0")),
	VALUE(0, A, "0", LAMP "=255"),
	VALUE(1, B, "1", LAMP "=9"),
	VALUE(2, A, "50", ""),
	VALUE(3, B, "0", LAMP "=0"), /* what always wants by now */
	VALUE(4, A, "0", LAMP "=255"),
	VALUE(5, B, "0", ""),
};

/* ---- the automation switch ---- */

static const struct step withheld_commands_are_sent_when_the_location_opens[] = {
	RULES(A, SWITCH("a", "", "1", "0")),
	VALUE(0, A, "0", LAMP "=0"),
	AUTO("hall", "0", ""),
	VALUE(1, A, "1", ""),
	AUTO("hall", "1", LAMP "=1"),
	AUTO("hall", "1", ""),
	AUTO("hall", "0", ""),
	AUTO("hall", "1", ""), /* nothing was withheld */
	AUTO("hall", "0", ""),
	VALUE(2, A, "0", ""),
	AUTO("hall", "1", LAMP "=0"), /* an else is made up for too */
	VALUE(3, A, "1", LAMP "=1"),
};

static const struct step what_is_wanted_by_then_is_sent[] = {
	RULES(A, DIM("")),     VALUE(0, A, "0", LAMP "=255"), AUTO("hall", "0", ""),        VALUE(1, A, "10", ""),
	VALUE(2, A, "20", ""), VALUE(3, A, "50", ""),         AUTO("hall", "1", LAMP "=0"),
};

static const struct step house_and_location_are_one_gate[] = {
	RULES(A, SWITCH("a", "", "1", "0")),
	RULES("yard/s/a", "{'name':'y','when':{'equals':1},'then':[{'set':'yard/lamp/led','to':1}]}"),
	AUTO("all", "0", ""),
	VALUE(0, A, "1", ""),
	VALUE(0, "yard/s/a", "1", ""),
	AUTO("hall", "0", ""),
	AUTO("all", "1", "yard/lamp/led=1"), /* the hall stays shut */
	AUTO("hall", "1", LAMP "=1"),
};

static const struct step the_switch_of_the_target_counts[] = {
	RULES(A, "{'name':'r','when':{'equals':1},'then':[{'set':'yard/lamp/led','to':1}]}"),
	AUTO("hall", "0", ""),
	VALUE(0, A, "1", "yard/lamp/led=1"),
	VALUE(1, A, "0", ""),
	AUTO("yard", "0", ""),
	AUTO("hall", "1", ""),
	VALUE(2, A, "1", ""),
	AUTO("yard", "1", "yard/lamp/led=1"),
};

static const struct step auto_false_ignores_the_switch[] = {
	RULES(A, SWITCH("fire", "'auto':false,", "9", "0")),
	AUTO("hall", "0", ""),
	AUTO("all", "0", ""),
	VALUE(0, A, "1", LAMP "=9"),
	VALUE(1, A, "0", LAMP "=0"),
	AUTO("all", "1", ""),
	AUTO("hall", "1", ""),
};

static const struct step a_person_is_overruled_when_the_gate_opens[] = {
	RULES(A, SWITCH("a", "", "1", "0")),
	VALUE(0, A, "1", LAMP "=1"),
	OVERRIDE(LAMP),
	VALUE(1, A, "1", ""), /* no edge: what the person wanted stays */
	AUTO("hall", "0", ""),
	AUTO("hall", "1", LAMP "=1"),
	AUTO("hall", "0", ""),
	OVERRIDE(LAMP),
	AUTO("hall", "1", LAMP "=1"),
	VALUE(2, A, "0", LAMP "=0"),
	OVERRIDE(LAMP),
	AUTO("hall", "0", ""),
	AUTO("hall", "1", LAMP "=0"), /* the else that spoke last */
	OVERRIDE("hall/other/led"),
	AUTO("hall", "0", ""),
	AUTO("hall", "1", ""),
};

static const struct step nothing_wanted_nothing_sent[] = {
	RULES(A, SWITCH_ON("a", "", "1")),
	AUTO("hall", "0", ""),
	VALUE(0, A, "1", ""),
	VALUE(1, A, "0", ""),
	AUTO("hall", "1", ""),
	VALUE(2, A, "1", LAMP "=1"),
};

/* A rule that ignores the switch speaks in between; the one that was withheld stands above it all the same. */
static const struct step withheld_is_not_forgotten_over_another_rules_command[] = {
	RULES(A, SWITCH("a", "'priority':5,", "1", "0")),
	RULES(B, SWITCH("fire", "'auto':false,", "9", "0")),
	AUTO("hall", "0", ""),
	VALUE(0, A, "1", ""),
	VALUE(1, B, "1", LAMP "=9"),
	AUTO("hall", "1", LAMP "=1"),
};

static const struct step withheld_is_not_forgotten_when_one_of_two_switches_opens[] = {
	RULES(A, SWITCH("a", "'priority':5,", "1", "0")),
	RULES(B, SWITCH("fire", "'auto':false,", "9", "0")),
	VALUE(0, B, "1", LAMP "=9"),
	AUTO("hall", "0", ""),
	AUTO("all", "0", ""),
	VALUE(1, A, "1", ""),
	AUTO("all", "1", ""), /* the hall is still shut, and 9 was sent before */
	AUTO("hall", "1", LAMP "=1"),
};

/* Sent before the switch was turned off, and still wanted above the rule that spoke meanwhile. */
static const struct step the_winner_comes_back_when_the_gate_opens[] = {
	RULES(A, SWITCH("a", "'priority':5,", "1", "0")),
	RULES(B, SWITCH("fire", "'auto':false,", "9", "0")),
	VALUE(0, A, "1", LAMP "=1"),
	AUTO("hall", "0", ""),
	VALUE(1, B, "1", LAMP "=9"),
	AUTO("hall", "1", LAMP "=1"),
};

/* ---- claims ---- */

/* A rule bound by hand, to no series. */
struct rule_of {
	struct config *config;
	struct bound_rule bound;
};

static struct rule_of rule_of(const char *text)
{
	struct topic sensor;
	struct config_error error = {0};
	char json[1024];
	snprintf(json, sizeof json, "{'rules':[%s]}", text);
	for (char *at = json; *at != '\0'; at++) {
		if (*at == '\'')
			*at = '\"';
	}
	assert_true(topic_parse_sensor(slice_of(A), &sensor));
	cJSON *document = config_parse(slice_of(json), &error);
	struct rule_of made = {.config = document ? config_compile(document, &sensor, &error) : NULL};
	cJSON_Delete(document);
	if (!made.config) {
		fail_msg("%s: found %s; wanted %s", error.path, error.found, error.wanted);
		return made;
	}
	made.bound.rule = made.config->rules;
	return made;
}

static void rule_of_free(struct actuators *all, struct rule_of *rule)
{
	claims_drop(all, &rule->bound);
	config_free(rule->config);
}

static void one_claim_for_each_actuator(void **unused)
{
	(void)unused;
	struct actuators all = {0};
	struct rule_of rule = rule_of("{'name':'r','when':{'equals':1},'then':[" SET(LAMP, "1") "," SET(
		"yard/fan/motor", "'open'") "," SET(LAMP, "2") "],'else':[" SET(LAMP, "0") "]}");
	assert_true(claims_make(&all, &rule.bound));
	assert_int_equal(rule.bound.claim_count, 2);

	const struct claim *lamp = &rule.bound.claims[0], *fan = &rule.bound.claims[1];
	assert_string_equal(lamp->actuator->topic, LAMP "/set");
	assert_string_equal(lamp->actuator->location->name, "hall");
	assert_int_equal(lamp->to[OCCASION_THEN]->value.number, 2); /* the last word counts */
	assert_int_equal(lamp->to[OCCASION_ELSE]->value.number, 0);
	assert_null(lamp->to[OCCASION_ALWAYS]);
	assert_null(fan->to[OCCASION_ELSE]);
	assert_ptr_equal(actuator_find(&all, slice_of(LAMP)), lamp->actuator);
	assert_ptr_equal(actuator_find(&all, slice_of("yard/fan/motor")), fan->actuator);
	assert_null(actuator_find(&all, slice_of(LAMP "/set")));
	assert_null(actuator_find(&all, slice_of("hall/lamp")));
	assert_ptr_equal(location_find(&all, slice_of("yard")), fan->actuator->location);
	assert_ptr_equal(location_intern(&all, slice_of("yard")), fan->actuator->location);
	assert_null(location_find(&all, slice_of("yar")));
	rule_of_free(&all, &rule);
	actuators_free(&all);
}

static void the_winner_is_found_among_those_that_hold(void **unused)
{
	(void)unused;
	static const struct {
		int since[3];     /* order in which they began */
		int winner, open; /* −1: none */
		bool holds[3], auto_off;
	} rows[] = {
		/* rule 0: priority 0, rule 1: priority 0 and auto false, rule 2: priority 5 */
		{{1, 2, 3}, -1, -1, {false, false, false}, false}, {{1, 2, 3}, 0, 0, {true, false, false}, false},
		{{1, 2, 3}, 1, 1, {true, true, false}, false},     {{2, 1, 3}, 0, 0, {true, true, false}, false},
		{{2, 3, 1}, 2, 2, {true, true, true}, false},      {{3, 2, 1}, 2, 1, {true, true, true}, true},
		{{3, 2, 1}, 2, -1, {true, false, true}, true},     {{1, 2, 3}, 2, -1, {false, false, true}, true},
	};
	struct actuators all = {0};
	struct rule_of rule[3] = {
		rule_of(SWITCH("a", "", "1", "0")),
		rule_of(SWITCH("b", "'auto':false,", "2", "0")),
		rule_of(SWITCH("c", "'priority':5,", "3", "0")),
	};
	for (int i = 0; i < 3; i++)
		assert_true(claims_make(&all, &rule[i].bound));
	struct actuator *lamp = actuator_find(&all, slice_of(LAMP));

	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		for (int i = 0; i < 3; i++) {
			claim_let_go(&rule[i].bound.claims[0]);
			if (rows[row].holds[i])
				claim_hold(&rule[i].bound.claims[0], (uint64_t)rows[row].since[i]);
		}
		for (int house = 0; house < 2; house++) { /* both switches do the same */
			all.house_off = rows[row].auto_off && house;
			lamp->location->auto_off = rows[row].auto_off && !house;
			int winner = rows[row].winner, open = rows[row].open;
			assert_ptr_equal(actuator_winner(&all, lamp, false), winner < 0 ? NULL : rule[winner].bound.claims);
			assert_ptr_equal(actuator_winner(&all, lamp, true), open < 0 ? NULL : rule[open].bound.claims);
		}
	}
	for (int i = 0; i < 3; i++)
		rule_of_free(&all, &rule[i]);
	assert_null(actuator_find(&all, slice_of(LAMP)));
	actuators_free(&all);
}

static void a_claim_wants_what_it_says(void **unused)
{
	(void)unused;
	struct actuators all = {0};
	struct rule_of on = rule_of(SWITCH("a", "", "'open'", "0")), dim = rule_of(DIM(""));
	assert_true(claims_make(&all, &on.bound));
	assert_true(claims_make(&all, &dim.bound));
	dim.bound.claims[0].always = value_of_number(42);
	assert_true(slice_is(claim_wanted(&on.bound.claims[0])->text, "open"));
	assert_int_equal(claim_wanted(&dim.bound.claims[0])->number, 42);
	rule_of_free(&all, &on);
	rule_of_free(&all, &dim);
	actuators_free(&all);
}

static void claims_are_taken_over_and_dropped(void **unused)
{
	(void)unused;
	struct actuators all = {0};
	struct rule_of before = rule_of(SWITCH("a", "", "1", "0")), after = rule_of(SWITCH("a", "", "1", "0"));
	struct rule_of other = rule_of(SWITCH("b", "", "2", "0"));
	assert_true(claims_make(&all, &before.bound));
	assert_true(claims_make(&all, &other.bound));
	struct actuator *lamp = actuator_find(&all, slice_of(LAMP));
	claim_hold(&before.bound.claims[0], 17);
	before.bound.claims[0].always = value_of_number(5);
	lamp->resting = &before.bound.claims[0];

	assert_true(claims_make(&all, &after.bound));
	claims_take_over(&after.bound, &before.bound);
	claims_drop(&all, &before.bound);
	assert_null(before.bound.claims);
	assert_true(after.bound.claims[0].holds);
	assert_int_equal(after.bound.claims[0].since, 17);
	assert_int_equal(after.bound.claims[0].always.number, 5);
	assert_ptr_equal(lamp->resting, &after.bound.claims[0]);
	assert_ptr_equal(actuator_winner(&all, lamp, true), &after.bound.claims[0]);

	claims_drop(&all, &after.bound);
	assert_null(lamp->resting);
	assert_ptr_equal(actuator_find(&all, slice_of(LAMP)), lamp);
	assert_int_equal(lamp->claim_count, 1);
	assert_null(actuator_winner(&all, lamp, false));
	rule_of_free(&all, &before);
	rule_of_free(&all, &after);
	rule_of_free(&all, &other);
	actuators_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(the_latest_wins_and_release_hands_over),
		SCENE(else_waits_for_the_last_one),
		SCENE(the_highest_priority_wins),
		SCENE(release_sends_only_what_differs),
		SCENE(a_rule_without_else_releases_too),
		SCENE(always_gives_way_to_a_higher_rule_and_comes_back),
		SCENE(withheld_commands_are_sent_when_the_location_opens),
		SCENE(what_is_wanted_by_then_is_sent),
		SCENE(house_and_location_are_one_gate),
		SCENE(the_switch_of_the_target_counts),
		SCENE(auto_false_ignores_the_switch),
		SCENE(a_person_is_overruled_when_the_gate_opens),
		SCENE(nothing_wanted_nothing_sent),
		SCENE(withheld_is_not_forgotten_over_another_rules_command),
		SCENE(withheld_is_not_forgotten_when_one_of_two_switches_opens),
		SCENE(the_winner_comes_back_when_the_gate_opens),
		cmocka_unit_test(one_claim_for_each_actuator),
		cmocka_unit_test(the_winner_is_found_among_those_that_hold),
		cmocka_unit_test(a_claim_wants_what_it_says),
		cmocka_unit_test(claims_are_taken_over_and_dropped),
	};
	return cmocka_run_group_tests_name("actuator", tests, NULL, NULL);
}
