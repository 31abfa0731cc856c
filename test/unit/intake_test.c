/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake: whole scenes of a house, message by message; what each subject means, what is refused and why, and what is in the
 * journal afterwards.
 */
#include "intake.h"

#include "config.h"
#include "fake_broker.h"
#include "house_scene.h"
#include "journal_text.h"
#include "reading.h"
#include "record.h"
#include "series.h"

#define QUOTA (1024 * KIB)

static int make(void **state)
{
	static struct house house;
	house_make(&house, QUOTA, false);
	*state = &house;
	return 0;
}

static int dispose(void **state)
{
	house_remove(*state);
	return 0;
}

static const char *readings(struct house *house, const char *topic)
{
	return journal_readings(house->journal.journal, topic);
}

/* A rule of one actuator: 1 above a limit, else 0. */
#define ABOVE(name, limit, target, more)                                                                               \
	"{'name':'" name "','when':{'above':" limit more "},'then':[{'set':'" target "','to':1}],"                         \
	"'else':[{'set':'" target "','to':0}]}"

/* ---- the house at work ---- */

static void a_day_in_the_house(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "거실/uno1/cds/config",
	           "{'rules':[{'name':'dark','when':{'at_most':50},'then':[{'set':'{location}/led1/led','to':1}],"
	           "'else':[{'set':'{location}/led1/led','to':0}]}]}",
	           ""),
		PUBLISH(1, "거실/uno1/cds/value", "50", "거실/led1/led/set=1"),
		PUBLISH(2, "거실/uno1/cds/value", "51", "거실/led1/led/set=0"),
		RETAIN(
			3, "거실/uno1/temperature/config",
			"{'unit':'°C','rules':[{'name':'window','when':{'above':{'topic':'outdoor/kma/temperature','plus':0.5}},"
			"'then':[{'set':'거실/win1/window','to':'open'}],'else':[{'set':'거실/win1/window','to':'closed'}]}," ABOVE(
				"cool", "30", "거실/fan1/motor", ",'hysteresis':2") "]}",
			""),
		PUBLISH(4, "거실/uno1/temperature/value", "29", "거실/fan1/motor/set=0"),
		PUBLISH(5, "outdoor/kma/temperature/value", "24", "거실/win1/window/set=open"),
		PUBLISH(6, "거실/uno1/temperature/value", "{\"value\":31,\"unit\":\"°C\"}", "거실/fan1/motor/set=1"),
		PUBLISH(7, "outdoor/kma/temperature/value", "30.5", "거실/win1/window/set=closed"),
		PUBLISH(8, "거실/fan1/motor/set", "0", ""), /* a person's command passes straight through */
		PUBLISH(9, "거실/uno1/temperature/value", "32", "거실/win1/window/set=open"),
		RETAIN(
			10, "거실/uno1/fire/config",
			"{'rules':[{'name':'fire','auto':false,'when':{'equals':1},'then':[{'set':'hall/door1/door','to':'open'},"
			"{'set':'hall/door1/buzzer','to':'alarm'}]}]}",
			""),
		PUBLISH(11, "all/hearth/auto/set", "0", "all/hearth/auto/state=0 (retained)"),
		PUBLISH(12, "거실/uno1/cds/value", "10", ""),
		PUBLISH(13, "거실/uno1/fire/value", "true", "hall/door1/door/set=open; hall/door1/buzzer/set=alarm"),
		PUBLISH(14, "all/hearth/auto/set", "on",
	            "all/hearth/auto/state=1 (retained); 거실/led1/led/set=1; 거실/fan1/motor/set=1"),
		PUBLISH(15, "거실/hearth/auto/set", "0", "거실/hearth/auto/state=0 (retained)"),
		PUBLISH(16, "거실/hearth/auto/set", "1", "거실/hearth/auto/state=1 (retained)"),
	};
	PLAY(house, steps);
	assert_string_equal(readings(house, "거실/uno1/temperature/value"), "29@4 31@6 32@9");
	assert_string_equal(readings(house, "거실/fan1/motor/set"), "0@4 1@6 0@8 1@14");
	assert_string_equal(readings(house, "hall/door1/buzzer/set"), "alarm@13");
	assert_string_equal(readings(house, "all/hearth/auto/set"), "0@11 on@14");
	struct intake_counters counters = intake_counters(house->intake);
	assert_int_equal(counters.messages, 17);
	assert_int_equal(counters.commands, 11);
	assert_int_equal(counters.refused, 0);
	assert_int_equal(fake_lines(), 0);
}

static void timers_and_arbitration_over_messages(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "hall/uno1/temperature/config", "{'rules':[" ABOVE("hot", "28", "hall/fan/motor", ",'for':5") "]}",
	           ""),
		RETAIN(0, "hall/uno1/humidity/config", "{'rules':[" ABOVE("damp", "80", "hall/fan/motor", "") "]}", ""),
		PUBLISH(1000, "hall/uno1/temperature/value", "29", ""),
		TICK(5900, ""),
		PUBLISH(5950, "hall/uno1/humidity/value", "70", "hall/fan/motor/set=0"),
		TICK(6000, "hall/fan/motor/set=1"),
		PUBLISH(6100, "hall/uno1/humidity/value", "90", "hall/fan/motor/set=1"),
		PUBLISH(6200, "hall/uno1/temperature/value", "20", ""), /* damp still holds */
		PUBLISH(6300, "hall/uno1/humidity/value", "70", "hall/fan/motor/set=0"),
		PUBLISH(6400, "hall/uno1/temperature/value", "29", ""),
		RETAIN(7000, "hall/all/temperature/config", "{'unit':'°C'}", ""), /* the timer runs on */
		TICK(11399, ""),
		TICK(11400, "hall/fan/motor/set=1"),
	};
	PLAY(house, steps);
}

static void states_helpers_and_presence_move_rules(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(
			0, "hall/uno1/temperature/config",
			"{'rules':[{'name':'heat','when':{'below':{'topic':'hall/hearth/setpoint/state'}},"
			"'then':[{'set':'hall/heater/relay','to':1}],'else':[{'set':'hall/heater/relay','to':0}]},"
			"{'name':'lid','when':{'equals':{'topic':'hall/box/lid/state'}},'then':[{'set':'hall/lamp/led','to':1}]},"
			"{'name':'lost','when':{'not_equals':{'topic':'hall/box/device/status'}},"
			"'then':[{'set':'hall/lamp/red','to':1}]}]}",
			""),
		PUBLISH(1, "hall/uno1/temperature/value", "1", ""),
		PUBLISH(2, "hall/hearth/setpoint/set", "21",
	            "hall/hearth/setpoint/state=21 (retained); hall/heater/relay/set=1"),
		PUBLISH(3, "hall/hearth/setpoint/set", "0.5",
	            "hall/hearth/setpoint/state=0.5 (retained); hall/heater/relay/set=0"),
		RETAIN(4, "hall/box/lid/state", "open", "hall/lamp/led/set=1"),
		RETAIN(5, "hall/box/lid/state", "", ""), /* takes the retained message away and says nothing */
		RETAIN(6, "hall/box/device/status", "offline", "hall/lamp/red/set=1"),
		PUBLISH(7, "hall/box/lid/state", " ", "hall/box/lid/error=empty"),
		PUBLISH(7, "hall/box/lid/state", "\xff", ""), /* within the same second */
		PUBLISH(1100, "hall/box/lid/state", "\xff", "hall/box/lid/error=not_text"),
	};
	PLAY(house, steps);
	assert_string_equal(readings(house, "hall/box/lid/state"), "open@4");
	assert_string_equal(readings(house, "hall/box/device/status"), ""); /* presence is no history */
}

static void rings_are_cut(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "hall/a/x/config",
	           "{'rules':[{'name':'not','when':{'not_equals':{'topic':'hall/l/led/set'}},"
	           "'then':[{'set':'hall/l/led','to':1}],'else':[{'set':'hall/l/led','to':0}]}]}",
	           ""),
		PUBLISH(1, "hall/a/x/value", "1", ""),
		PUBLISH(2, "hall/l/led/set", "0",
	            "hall/l/led/set=1; hall/l/led/set=0; hall/l/led/set=1; hall/l/led/set=0; hall/l/led/set=1; "
	            "hall/l/led/set=0; hall/l/led/set=1; hall/l/led/set=0"),
	};
	PLAY(house, steps);
	assert_int_equal(fake_lines_with("a chain of more than 8 commands was cut"), 1);
	for (int i = 0; i < 10; i++)
		house_publish(house, "hall/l/led/set", slice_of(i % 2 ? "1" : "0"), false, 10 + i);
	assert_int_equal(fake_lines_with("a chain of more than 8 commands was cut"), 1);
}

/* ---- readings ---- */

static void bad_readings_are_told_once_a_second_and_not_stored(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "hall/u/t/config",
	           "{'unit':'°C','min':-40,'max':85,'rules':[" ABOVE("hot", "30", "hall/fan/motor", "") "]}", ""),
		PUBLISH(0, "hall/u/t/value", "", "hall/u/t/error=empty"),
		PUBLISH(999, "hall/u/t/value", "nan", ""),
		PUBLISH(1000, "hall/u/t/value", "NaN", "hall/u/t/error=not_finite"),
		PUBLISH(2000, "hall/u/t/value", "1e999", "hall/u/t/error=not_finite"),
		PUBLISH(3000, "hall/u/t/value", "23.5C", "hall/u/t/error=not_a_value"),
		PUBLISH(4000, "hall/u/t/value", "{\"value\":", "hall/u/t/error=not_json"),
		PUBLISH(5000, "hall/u/t/value", "{\"volume\":1}", "hall/u/t/error=no_value"),
		PUBLISH(6000, "hall/u/t/value", "{\"value\":1,\"time\":\"noon\"}", "hall/u/t/error=bad_time"),
		PUBLISH(7000, "hall/u/t/value", "{\"value\":31,\"unit\":\"°F\"}", "hall/u/t/error=bad_unit"),
		PUBLISH(8000, "hall/u/t/value", "85.01", "hall/u/t/error=out_of_range"),
		PUBLISH(9000, "hall/u/t/value", "-40.01", "hall/u/t/error=out_of_range"),
		PUBLISH(10000, "hall/u/t/value", "85", "hall/fan/motor/set=1"),
		PUBLISH(11000, "hall/u/t/value", "-40", "hall/fan/motor/set=0"),
		PUBLISH(12000, "hall/u/t/value", "{\"value\":1,\"unit\":\"°C\"}", ""),
	};
	PLAY(house, steps);
	assert_string_equal(readings(house, "hall/u/t/value"), "85@10000 -40@11000 1@12000");
	assert_int_equal(intake_counters(house->intake).refused, 11);
	assert_int_equal(fake_lines_with("hall/u/t/value: out_of_range: found 85.01; wanted a value from "), 1);
	assert_int_equal(fake_lines_with("bad_unit: found °F; wanted the unit"), 1);
}

static void long_and_binary_payloads_are_refused(void **state)
{
	struct house *house = *state;
	static char big[1024 * KIB];
	memset(big, '1', sizeof big);
	const struct {
		const char *topic;
		struct slice payload;
		const char *said;
	} rows[] = {
		{"hall/a/x/value", {big, sizeof big}, "hall/a/x/error=too_long"},
		{"hall/b/x/value", {big, 600}, "hall/b/x/error=not_a_value"},
		{"hall/c/x/value", {"1\0002", 3}, "hall/c/x/error=not_a_value"},
		{"hall/d/x/value", {"{\"value\":1}\0", 12}, "hall/d/x/error=not_json"},
		{"hall/e/x/value", {"{\"value\":\"\xed\xa0\x80\"}", 15}, "hall/e/x/error=no_value"},
		{"hall/f/x/set", {big, 4097}, "hall/f/x/error=too_long"},
		{"hall/g/x/set", {"o\0n", 3}, "hall/g/x/error=not_text"},
		{"hall/h/x/state", {big, sizeof big}, "hall/h/x/error=too_long"},
		{"hall/i/x/set", {NULL, 0}, "hall/i/x/error=empty"},
		{"hall/j/x/value", {NULL, 0}, "hall/j/x/error=empty"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(house_publish(house, rows[i].topic, rows[i].payload, false, 0), INTAKE_PASS);
		assert_string_equal(fake_broker_said(), rows[i].said);
	}
	assert_string_equal(journal_text(house->journal.journal), "");
	assert_int_equal(house_publish(house, "hall/f/x/set", (struct slice){big, 4096}, false, 0), INTAKE_PASS);
	assert_int_equal(intake_counters(house->intake).stored, 1);
}

static void late_readings_are_stored_and_trigger_nothing(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "hall/u/t/config", "{'rules':[" ABOVE("hot", "30", "hall/fan/motor", "") "]}", ""),
		PUBLISH(60000, "hall/u/t/value", "20", "hall/fan/motor/set=0"),
		PUBLISH(61000, "hall/u/t/value",
	            "{\"readings\":[{\"time\":\"2026-11-22T10:00:10Z\",\"value\":40},"
	            "{\"time\":\"2026-11-22T10:00:20.5Z\",\"value\":41},"
	            "{\"time\":\"2026-11-22T10:01:00.5Z\",\"value\":35}]}", /* only the last is news */
	            "hall/fan/motor/set=1"),
		PUBLISH(62000, "hall/u/t/value", "{\"boot\":7,\"readings\":[{\"seq\":41,\"age\":12500,\"value\":10}]}", ""),
		PUBLISH(63000, "hall/u/t/value", "{\"value\":29,\"time\":\"2026-11-22T11:00:00Z\"}",
	            "hall/fan/motor/set=0; hall/u/t/error=ahead"),
	};
	PLAY(house, steps);
	assert_string_equal(readings(house, "hall/u/t/value"), "20@60000 40@10000 41@20500 35@60500 10@49500 29@63000");
}

static void a_resend_is_stored_once(void **state)
{
	struct house *house = *state;
	static const char timed[] = "{\"value\":20,\"time\":\"2026-11-22T10:00:01Z\"}";
	static const char counted[] = "{\"boot\":7,\"readings\":[{\"seq\":1,\"age\":100,\"value\":20},"
								  "{\"seq\":2,\"age\":50,\"value\":20}]}";
	static const struct step steps[] = {
		PUBLISH(2000, "hall/u/t/value", timed, ""),
		PUBLISH(2001, "hall/u/t/value", timed, ""),
		PUBLISH(2002, "hall/u/t/value", "{\"value\":20.5,\"time\":\"2026-11-22T10:00:01Z\"}", ""),
		PUBLISH(3000, "hall/u/t/value", counted, ""),
		PUBLISH(3500, "hall/u/t/value", counted, ""),
		PUBLISH(4000, "hall/u/t/value", "20", ""),
		PUBLISH(4000, "hall/u/t/value", "20", ""),  /* two bare ones are two, at one instant too */
		PUBLISH(5000, "hall/v/t/value", timed, ""), /* another series */
	};
	PLAY(house, steps);
	assert_string_equal(readings(house, "hall/u/t/value"), "20@1000 20.5@1000 20@2900 20@2950 20@4000 20@4000");
	assert_string_equal(readings(house, "hall/v/t/value"), "20@1000");
	assert_int_equal(intake_counters(house->intake).resent, 3);
}

static void a_whole_batch_may_come_again(void **state)
{
	enum { BATCH = SERIES_RESEND_KEYS };
	struct house *house = *state;
	char *payload = malloc(READING_PAYLOAD_MAX);
	assert_non_null(payload);
	size_t len = (size_t)sprintf(payload, "{\"boot\":1,\"readings\":[");
	for (int i = 0; i < BATCH; i++)
		len += (size_t)sprintf(payload + len, "%s{\"seq\":%d,\"value\":%d}", i > 0 ? "," : "", i, i);
	len += (size_t)sprintf(payload + len, "]}");
	house_publish(house, "hall/u/t/value", (struct slice){payload, len}, false, 0);
	house_publish(house, "hall/u/t/value", (struct slice){payload, len}, false, 1000);
	assert_int_equal(intake_counters(house->intake).stored, BATCH);
	assert_int_equal(intake_counters(house->intake).resent, BATCH);
	free(payload);
}

static void the_store_policy_does_not_keep_rules_back(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "hall/u/t/config",
	           "{'store':{'deadband':5,'at_least_every':10},'rules':[" ABOVE("hot", "30", "hall/fan/motor", "") "]}",
	           ""),
		PUBLISH(1, "hall/u/t/value", "29", "hall/fan/motor/set=0"),
		PUBLISH(2, "hall/u/t/value", "31", "hall/fan/motor/set=1"),
		PUBLISH(3, "hall/u/t/value", "34", ""),
		PUBLISH(4, "hall/u/t/value", "35", ""),
		PUBLISH(10004, "hall/u/t/value", "35", ""),
	};
	PLAY(house, steps);
	assert_string_equal(readings(house, "hall/u/t/value"), "29@1 34@3 35@10004");
}

/* ---- names that are not one's own ---- */

static void reserved_names_are_refused(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		PUBLISH(0, "all/u/t/value", "1", "all/u/t/error=reserved"),
		PUBLISH(0, "hall/all/t/value", "1", "hall/all/t/error=reserved"),
		PUBLISH(0, "hall/all/lamp/set", "1", "hall/all/lamp/error=reserved"),
		PUBLISH(0, "all/x/lamp/state", "1", "all/x/lamp/error=reserved"),
		PUBLISH(0, "hall/hearth/cpu/value", "1", "hall/hearth/cpu/error=reserved"),
		RETAIN(0, "hall/hearth/mode/state", "away", "hall/hearth/mode/error=reserved"),
		RETAIN(0, "hall/hearth/auto/state", "", ""),
		PUBLISH(2000, "hall/hearth/mode/set", "away", "hall/hearth/mode/state=away (retained)"),
		RETAIN(2001, "hall/hearth/mode/state", "home", "hall/hearth/mode/error=reserved"), /* known by now */
	};
	PLAY(house, steps);
	assert_string_equal(readings(house, "hall/hearth/mode/state"), "away@2000");
}

static void a_clients_alarm_is_withheld(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		WITHHELD(0, "hall/u/t/alarm", "{}", "hall/u/t/error=reserved"),
		WITHHELD(2000, "hall/u/t/alarm", "", "hall/u/t/error=reserved"),
		PUBLISH(3000, "hall/u/t/error", "{}", ""),
	};
	PLAY(house, steps);
	assert_string_equal(journal_text(house->journal.journal), "");
}

/* It is in the journal before it is answered. */
static void an_ack_is_kept(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		PUBLISH(0, "hall/u/fire/ack", "fire", ""),
		PUBLISH(1000, "hall/u/fire/ack", "", ""), /* all of that series */
		RETAIN(2000, "hall/u/fire/ack", "fire", "hall/u/fire/error=retained_ack"),
		RETAIN(3000, "hall/u/fire/ack", "", ""), /* takes a retained one away */
		PUBLISH(4000, "hall/all/fire/ack", "fire", "hall/all/fire/error=reserved"),
		PUBLISH(5000, "hall/u/fire/ack", "\xff", "hall/u/fire/error=not_text"),
	};
	PLAY(house, steps);
	assert_string_equal(journal_text(house->journal.journal),
	                    "series hall/u/fire/ack\nhall/u/fire/ack fire @0\nhall/u/fire/ack  @1000\n");
	assert_int_equal(intake_counters(house->intake).refused, 3);
}

static void what_came_in_is_counted(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "hall/u/t/config",
	           "{'max':50,'rules':[{'name':'r','when':{'above':30},'then':[{'set':'hall/fan/motor','to':1}]},"
	           "{'name':'s','always':[{'set':'hall/led/led','scale':{'from':[0,50],'to':[0,100]}}]}]}",
	           ""),
		PUBLISH(1000, "hall/u/t/value", "20", "hall/led/led/set=40"),
		PUBLISH(2000, "hall/u/t/value", "60", "hall/u/t/error=out_of_range"),
		PUBLISH(3000, "hall/u/t/value", "warm up", "hall/u/t/error=not_a_value"),
		PUBLISH(4000, "hall/u/t/value", "{\"boot\":1,\"readings\":[{\"seq\":1,\"value\":20},{\"seq\":2,\"value\":40}]}",
	            "hall/fan/motor/set=1; hall/led/led/set=80"),
		PUBLISH(5000, "hall/u/t/value", "{\"boot\":1,\"seq\":2,\"value\":40}", ""),
		PUBLISH(6000, "hall/fan/motor/set", "0", ""),
		PUBLISH(7000, "hall/fan/motor/state", "0", ""),
		PUBLISH(8000, "hall/u/t/ack", "r", ""),
		PUBLISH(9000, "somewhere/else", "1", ""),
	};
	PLAY(house, steps);
	const struct intake_counters counters = intake_counters(house->intake);
	assert_int_equal(counters.messages, 10);
	assert_int_equal(counters.received, 9);
	assert_int_equal(counters.refused, 2);
	assert_int_equal(counters.resent, 1);
	assert_int_equal(counters.stored, 6 + 3); /* with the commands */
	assert_int_equal(counters.lost, 0);
	assert_int_equal(counters.fired, 4); /* r becomes false, then true; s changes twice */
	assert_int_equal(counters.commands, 3);
}

static void a_retained_set_is_stored_reported_and_obeyed_by_no_rule(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "hall/u/t/config",
	           "{'rules':[{'name':'r','when':{'equals':{'topic':'hall/lamp/led/set'}},"
	           "'then':[{'set':'hall/fan/motor','to':1}]}]}",
	           ""),
		PUBLISH(1, "hall/u/t/value", "1", ""),
		RETAIN(2, "hall/lamp/led/set", "1", "hall/lamp/led/error=retained_set"),
		RETAIN(3, "all/hearth/auto/set", "0", "all/hearth/auto/error=retained_set"),
		RETAIN(1500, "hall/lamp/led/set", "", ""), /* takes it away: no fault */
		PUBLISH(4, "hall/lamp/led/set", "0", ""),
		PUBLISH(5, "hall/lamp/led/set", "1", "hall/fan/motor/set=1"),
	};
	PLAY(house, steps);
	assert_string_equal(readings(house, "hall/lamp/led/set"), "1@2 0@4 1@5");
}

static void foreign_topics_are_untouched(void **state)
{
	struct house *house = *state;
	char longest[65536];
	assert_int_equal(snprintf(longest, sizeof longest, "hall/u/%0*d/value", 65522, 0), 65535);
	const char *topics[] = {
		"hall/temperature/value",
		"hall/u/t/x/value",
		"hall/u/t/values",
		"hall//t/value",
		"/u/t/value",
		"hall/u/t/",
		"$SYS/broker/x/value",
		"$CONTROL/a/b/config",
		"homeassistant/light/kitchen/config",
		"tasmota/a/b/config",
		"homeassistant/a/b/set",
		"x",
		"",
		"hall/u/t/Value",
		"hall/\xff/t/value",
		longest,
	};
	for (size_t i = 0; i < COUNT(topics); i++) {
		assert_int_equal(house_publish(house, topics[i], slice_of("1"), true, (int64_t)i), INTAKE_PASS);
		assert_int_equal(house_publish(house, topics[i], slice_of("{\"junk\":"), true, (int64_t)i), INTAKE_PASS);
	}
	assert_string_equal(fake_broker_said(), "");
	assert_int_equal(fake_lines(), 0);
	assert_string_equal(journal_text(house->journal.journal), "");
	struct intake_counters counters = intake_counters(house->intake);
	assert_int_equal(counters.messages, 2 * COUNT(topics));
	assert_int_equal(counters.refused, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_day_in_the_house),
		TEST(timers_and_arbitration_over_messages),
		TEST(states_helpers_and_presence_move_rules),
		TEST(rings_are_cut),
		TEST(bad_readings_are_told_once_a_second_and_not_stored),
		TEST(long_and_binary_payloads_are_refused),
		TEST(late_readings_are_stored_and_trigger_nothing),
		TEST(a_resend_is_stored_once),
		TEST(a_whole_batch_may_come_again),
		TEST(the_store_policy_does_not_keep_rules_back),
		TEST(reserved_names_are_refused),
		TEST(a_clients_alarm_is_withheld),
		TEST(an_ack_is_kept),
		TEST(what_came_in_is_counted),
		TEST(a_retained_set_is_stored_reported_and_obeyed_by_no_rule),
		TEST(foreign_topics_are_untouched),
	};
	return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
