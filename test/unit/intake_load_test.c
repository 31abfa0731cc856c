/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake: a full journal, too many series, the gauges, and 200,000 random messages that must neither crash nor leak, with
 * the commands bounded. HEARTH_SEED repeats a run that failed, HEARTH_MESSAGES changes how many there are.
 */
#include "intake.h"

#include "action.h"
#include "fake_broker.h"
#include "house_scene.h"
#include "journal_text.h"
#include "record.h"

#define QUOTA_LEAST (256 * KIB)

static int make(void **state)
{
	static struct house house;
	house_make(&house, QUOTA_LEAST, false);
	*state = &house;
	return 0;
}

static int dispose(void **state)
{
	house_remove(*state);
	return 0;
}

#define COOL                                                                                                           \
	"{'rules':[{'name':'cool','when':{'above':28},'then':[{'set':'hall/fan/motor','to':1}],"                           \
	"'else':[{'set':'hall/fan/motor','to':0}]}]}"

/* ---- limits ---- */

static void a_full_journal_is_counted_and_logged_and_rules_go_on(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "hall/u/t/config", COOL, ""),
		PUBLISH(0, "hall/u/t/value", "20", "hall/fan/motor/set=0"),
		TICK(1, ""),
	};
	PLAY(house, steps);
	for (int i = 0; intake_counters(house->intake).lost == 0; i++) {
		assert_true(i < 100000);
		house_publish(house, "hall/u/x/value", slice_of("1"), false, 2);
	}
	assert_int_equal(fake_lines(), 0);
	static const struct step full[] = {
		TICK(100, ""),
		PUBLISH(200, "hall/u/t/value", "29", "hall/fan/motor/set=1"),
		TICK(30000, ""),
		PUBLISH(30001, "hall/hearth/auto/set", "0",
	            "hall/hearth/auto/state=0 (retained)"), /* there is room for these */
		RETAIN(30002, "hall/u/t/config", "", ""),
		PUBLISH(30003, "hall/u/t/ack", "fire", ""),
		TICK(30100, ""),
		TICK(200000, ""), /* nothing was lost since, but nothing was stored either */
	};
	PLAY(house, full);
	assert_int_equal(fake_lines_with("The journal is full"), 1);
	assert_int_equal(fake_lines(), 1);
	struct intake_counters counters = intake_counters(house->intake);
	assert_int_equal(counters.lost, 5); /* the filler, the reading, its command, and a switch with its state */
	assert_int_equal(journal_count(house->journal.journal, RECORD_READING), counters.stored);

	/* Room again: told when it has lasted, with the number of what was lost. */
	fixture_sync(&house->journal);
	journal_trim(house->journal.journal, journal_head(house->journal.journal));
	fixture_sync(&house->journal);
	static const struct step room[] = {
		PUBLISH(200001, "hall/u/t/value", "30", ""),
		TICK(200100, ""),
	};
	PLAY(house, room);
	assert_int_equal(fake_lines_with("The journal has room again: 5 readings were not stored within 30 s."), 1);
	assert_int_equal(fake_lines(), 2);
	assert_int_equal(intake_counters(house->intake).lost, 5);
}

/* Two bursts of loss close together are one outage. */
static void room_that_does_not_last_is_not_told(void **state)
{
	struct house *house = *state;
	for (int burst = 0; burst < 3; burst++) {
		const uint64_t lost = intake_counters(house->intake).lost;
		for (int i = 0; intake_counters(house->intake).lost == lost; i++) {
			assert_true(i < 100000);
			house_publish(house, "hall/u/x/value", slice_of("1"), false, 4000 * burst);
		}
		intake_tick(house->intake, instant_at(4000 * burst + 100));
		fixture_sync(&house->journal);
		journal_trim(house->journal.journal, journal_head(house->journal.journal));
		fixture_sync(&house->journal);
		house_publish(house, "hall/u/x/value", slice_of("1"), false, 4000 * burst + 200);
		intake_tick(house->intake, instant_at(4000 * burst + 3999));
	}
	assert_int_equal(fake_lines(), 1);
	house_publish(house, "hall/u/x/value", slice_of("1"), false, 20000);
	intake_tick(house->intake, instant_at(20000));
	assert_int_equal(fake_lines_with("3 readings were not stored within 8 s."), 1);
}

static void a_reading_lost_to_a_full_journal_is_taken_when_it_comes_again(void **state)
{
	struct house *house = *state;
	const struct slice kept = slice_of("{\"value\":20,\"time\":\"2026-11-22T10:00:01Z\"}");
	const struct slice lost = slice_of("{\"value\":21,\"time\":\"2026-11-22T10:00:02Z\"}");
	house_publish(house, "hall/u/t/value", kept, false, 2000);
	for (int i = 0; intake_counters(house->intake).lost == 0; i++) {
		assert_true(i < 100000);
		house_publish(house, "hall/u/x/value", slice_of("1"), false, 2000);
	}
	house_publish(house, "hall/u/t/value", lost, false, 3000);
	assert_int_equal(intake_counters(house->intake).lost, 2);
	fixture_sync(&house->journal);
	journal_trim(house->journal.journal, journal_head(house->journal.journal));
	fixture_sync(&house->journal);
	house_publish(house, "hall/u/t/value", kept, false, 4000);
	house_publish(house, "hall/u/t/value", lost, false, 4000);
	house_publish(house, "hall/u/t/value", lost, false, 4000);
	assert_string_equal(journal_readings(house->journal.journal, "hall/u/t/value"), "21@2000");
	assert_int_equal(intake_counters(house->intake).resent, 2);
}

static void too_many_series_leave_the_others_alone(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {RETAIN(0, "hall/all/t/config", COOL, "")};
	char topic[64];
	PLAY(house, steps);
	for (int i = 0; i < 2 * HOUSE_SERIES_MAX; i++) {
		snprintf(topic, sizeof topic, "hall/s%d/x/value", i);
		assert_int_equal(house_publish(house, topic, slice_of("1"), false, i), INTAKE_PASS);
	}
	assert_int_equal(intake_counters(house->intake).stored, HOUSE_SERIES_MAX);
	static const struct step crowded[] = {
		PUBLISH(1000, "hall/u/t/value", "29", ""),
		PUBLISH(1001, "hall/u/t/set", "29", ""),
		PUBLISH(1002, "hall/u/t/state", "29", ""),
		PUBLISH(1003, "hall/s0/x/value", "2", ""),
	};
	PLAY(house, crowded);
	assert_int_equal(intake_counters(house->intake).stored, HOUSE_SERIES_MAX + 1);
	assert_string_equal(journal_readings(house->journal.journal, "hall/s0/x/value"), "1@0 2@1003");
}

static void a_config_that_needs_more_series_is_in_force_but_logged(void **state)
{
	struct house *house = *state;
	char topic[64];
	for (int i = 0; i < HOUSE_SERIES_MAX; i++) {
		snprintf(topic, sizeof topic, "hall/s%d/x/value", i);
		house_publish(house, topic, slice_of("1"), false, i);
	}
	static const struct step steps[] = {
		RETAIN(
			1000, "hall/s0/x/config",
			"{'rules':[{'name':'r','when':{'above':{'topic':'yard/kma/t'}},'then':[{'set':'hall/fan/motor','to':1}]}]}",
			""),
		PUBLISH(1001, "hall/s0/x/value", "5", ""),
	};
	PLAY(house, steps);
	intake_tick(house->intake, instant_at(1002));
	intake_tick(house->intake, instant_at(1003));
	assert_int_equal(fake_lines_with("1 times the rules of a config could not be bound to a series; the last time "
	                                 "hall/s0/x/value: at $.rules: found more series than plugin_opt_max_series"),
	                 1);
	assert_int_equal(journal_count(house->journal.journal, RECORD_RETAINED), 1);
}

static void gauges_say_how_busy_it_is(void **state)
{
	struct house *house = *state;
	struct host_sample sample = {.known = {[HOST_MEMORY] = true}, .value = {[HOST_MEMORY] = 40.5}};
	intake_gauges(house->intake, &sample, 0, instant_at(0));
	fake_broker_said();
	for (int i = 0; i < 1234; i++)
		house_publish(house, "not/ours", slice_of("1"), false, i);
	intake_gauges(house->intake, &sample, 777, instant_at(10000));
	assert_string_equal(fake_broker_said(), "node1/hearth/memory/value=40.5; node1/hearth/messages/value=123.4; "
	                                        "node1/hearth/queue/value=777");
	intake_gauges(house->intake, &sample, 0, instant_at(20000));
	assert_string_equal(fake_broker_said(), "node1/hearth/memory/value=40.5; node1/hearth/messages/value=0; "
	                                        "node1/hearth/queue/value=0");
	intake_gauges(house->intake, &sample, 0, instant_at(20000)); /* no time between the two */
	assert_non_null(strstr(fake_broker_said(), "node1/hearth/messages/value=0; "));
	assert_string_equal(journal_readings(house->journal.journal, "node1/hearth/queue/value"),
	                    "0@0 777@10000 0@20000 0@20000");
}

/* ---- random messages ---- */

/* xorshift64* (G. Marsaglia; S. Vigna). */
static uint64_t random_state;

static size_t random_below(size_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (size_t)((random_state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % n;
}

static const char *const locations[] = {"hall", "hall", "거실", "all"};
static const char *const devices[] = {"u", "u", "u", "lamp", "hearth", "all"};
static const char *const sensors[] = {"t", "t", "led", "auto", "mode"};
static const char *const subjects[] = {
	"/value", "/value", "/value", "/set", "/set", "/state", "/status", "/alarm", "/ack", "/error", "/other",
};
static const char *const values[] = {
	"0",
	"1",
	"0",
	"1",
	"0",
	"1",
	"2",
	"3",
	"20",
	"29",
	"30",
	"30",
	"35",
	"0",
	"1",
	"28",
	"-1e9",
	"on",
	"off",
	"away",
	"",
	" ",
	"\xff",
	"nan",
	"{",
	"{}",
	"{\"value\":1}",
	"{\"value\":29,\"unit\":\"K\"}",
	"{\"value\":\"open\",\"time\":\"2026-11-22T10:00:00Z\"}",
	"{\"boot\":1,\"readings\":[{\"seq\":1,\"age\":5,\"value\":1},{\"seq\":2,\"age\":1,\"value\":0},{\"value\":null}]}",
	"a word of a length that no other word has, so that texts grow and shrink",
};
static const char *const conditions[] = {
	"{'above':0}",
	"{'above':28,'for':0.05}",
	"{'equals':1,'for':1}",
	"{'outside':[0,1],'hysteresis':0.5}",
	"{'equals':{'topic':'hall/lamp/led/set'}}",
	"{'not_equals':{'topic':'거실/lamp/led/set'}}",
	"{'at_most':{'topic':'hall/hearth/mode/state','plus':1,'times':-1}}",
	"{'not_equals':{'topic':'{location}/hearth/auto/state'}}",
	"{'below':{'topic':'hall/u/t'},'for':0.01}",
};
static const char *const targets[] = {
	"hall/lamp/led",   "거실/lamp/led",    "{location}/{device}/led", "{location}/hearth/mode",
	"all/hearth/mode", "hall/hearth/auto", "all/hearth/auto",         "hall/u/t",
};
static const char *const priorities[] = {"0", "0", "1", "-2"};
static const char *const words[] = {"0", "1", "'on'", "'off'", "'away'", "2.5"};

#define ANY(list) list[random_below(COUNT(list))]

/* A text being put together. One call adds one random thing: a seed means the same with every compiler. */
struct text {
	char bytes[4096];
	size_t len;
};

static void add(struct text *text, const char *piece)
{
	size_t len = strlen(piece);
	assert_true(text->len + len < sizeof text->bytes);
	memcpy(text->bytes + text->len, piece, len + 1);
	text->len += len;
}

static void add_actions(struct text *text, const char *key)
{
	add(text, key);
	for (int i = 0; i < 2; i++) {
		add(text, i == 0 ? "[{'set':'" : ",{'set':'");
		add(text, ANY(targets));
		add(text, "','to':");
		add(text, ANY(words));
		add(text, "}");
	}
	add(text, "]");
}

static void add_rule(struct text *text, const char *name)
{
	add(text, "{'name':'");
	add(text, name);
	add(text, "','priority':");
	add(text, ANY(priorities));
	add(text, random_below(3) ? ",'when':" : ",'auto':false,'when':");
	add(text, ANY(conditions));
	add_actions(text, ",'then':");
	if (random_below(3))
		add_actions(text, ",'else':");
	if (random_below(3) == 0)
		add(text, ",'always':[{'set':'hall/lamp/led','scale':{'from':[0,30],'to':[9,0]}}]");
	add(text, "}");
}

static void add_config(struct text *text)
{
	static const char *const names[] = {"r0", "r1", "r2"};
	size_t rules = random_below(4);
	add(text, random_below(4) ? "{" : "{'min':0,'max':40,'stale_after':0.2,");
	add(text, "'rules':[");
	for (size_t i = 0; i < rules; i++) {
		add(text, i > 0 ? "," : "");
		add_rule(text, names[i]);
	}
	add(text, random_below(3) ? "]}" : "],'store':{'deadband':1,'at_least_every':0.1}}");
	for (char *at = text->bytes; *at != '\0'; at++) {
		if (*at == '\'')
			*at = '\"';
	}
	if (random_below(20) == 0) {
		size_t place = random_below(text->len);
		text->bytes[place] = "}]x\"0"[random_below(5)];
	}
}

/* Seldom a config, so that rules live for a while. */
static void random_message(struct house *house, int64_t at_ms)
{
	struct text topic = {0}, payload = {0};
	bool config = random_below(20) == 0;
	add(&topic, ANY(locations));
	add(&topic, "/");
	add(&topic, ANY(devices));
	add(&topic, "/");
	add(&topic, ANY(sensors));
	add(&topic, config ? "/config" : ANY(subjects));
	if (!config)
		add(&payload, ANY(values));
	else if (random_below(5))
		add_config(&payload);
	bool retain = config ? random_below(10) > 0 : random_below(20) == 0;
	house_publish(house, topic.bytes, (struct slice){payload.bytes, payload.len}, retain, at_ms);
}

/* What one message may make, whatever rules there are at the time: chains have an end. */
#define PUBLISHES_MAX 2000

static void random_messages_do_no_harm(void **state)
{
	struct house *house = *state;
	const char *seed = getenv("HEARTH_SEED"), *count = getenv("HEARTH_MESSAGES");
	long messages = count ? strtol(count, NULL, 10) : 200000;
	size_t most = 0;
	random_state = seed ? strtoull(seed, NULL, 10) : 20261122;
	print_message("HEARTH_SEED=%llu\n", (unsigned long long)random_state);

	for (long i = 0; i < messages; i++) {
		int64_t at_ms = i * 7;
		if (random_below(10) == 0)
			intake_tick(house->intake, instant_at(at_ms));
		random_message(house, at_ms);
		most = fake_publishes() > most ? fake_publishes() : most;
		if (fake_publishes() > PUBLISHES_MAX)
			fail_msg("message %ld: %zu publishes", i, fake_publishes());
		fake_broker_reset();
		if (i % 5000 == 4999) { /* as the keeper does, so that readings are stored all the time */
			fixture_sync(&house->journal);
			journal_trim(house->journal.journal, journal_head(house->journal.journal));
			fixture_sync(&house->journal);
		}
	}
	struct intake_counters counters = intake_counters(house->intake);
	print_message("%llu stored, %llu lost, %llu refused, %llu resent, %llu commands, at most %zu publishes at once\n",
	              (unsigned long long)counters.stored, (unsigned long long)counters.lost,
	              (unsigned long long)counters.refused, (unsigned long long)counters.resent,
	              (unsigned long long)counters.commands, most);
	assert_int_equal(counters.messages, messages);
	assert_true(counters.stored > 0 && counters.refused > 0 && counters.resent > 0 && counters.commands > 0);
	assert_true(counters.commands < (uint64_t)messages * 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_journal_is_counted_and_logged_and_rules_go_on),
		TEST(room_that_does_not_last_is_not_told),
		TEST(a_reading_lost_to_a_full_journal_is_taken_when_it_comes_again),
		TEST(too_many_series_leave_the_others_alone),
		TEST(a_config_that_needs_more_series_is_in_force_but_logged),
		TEST(gauges_say_how_busy_it_is),
		TEST(random_messages_do_no_harm),
	};
	return cmocka_run_group_tests_name("intake: load", tests, NULL, NULL);
}
