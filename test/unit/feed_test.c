/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * feed: what reaches the journal, the latest value and the rules, and what goes on when the journal is full.
 */
#include "feed.h"

#include "fake_broker.h"
#include "journal_text.h"
#include "parts.h"
#include "record.h"

#define A    "hall/s1/a"
#define LAMP "hall/lamp/led"
#define RULE                                                                                                           \
	"{'rules':[{'name':'r','when':{'above':1},'then':[{'set':'" LAMP "','to':1}],'else':[{'set':'" LAMP "','to':0}]}]" \
	"}"

static int make(void **state)
{
	static struct parts parts;
	parts_make(&parts, 100);
	*state = &parts;
	return 0;
}

static int dispose(void **state)
{
	parts_remove(*state);
	return 0;
}

static void feed_as(struct parts *parts, const char *topic, const char *text, int64_t measured_ms, int mode,
                    int64_t at_ms)
{
	struct value value = value_of_text(slice_of(text));
	feed_value(&parts->feed, parts_series(parts, topic), &value, START_US + measured_ms * 1000, mode, 0,
	           instant_at(at_ms));
	delivery_run(parts->delivery, instant_at(at_ms));
}

/* ---- what is stored ---- */

static void a_series_is_explained_before_its_first_reading(void **state)
{
	struct parts *parts = *state;
	parts_feed(parts, "거실/uno1/temperature/value", "23.5", 0);
	parts_feed(parts, "hall/door/door/state", "half open", 10);
	parts_feed(parts, "거실/uno1/temperature/value", "on", 20);
	parts_feed(parts, "거실/uno1/temperature/value", "-1e-300", 30);
	assert_true(
		feed_retain(&parts->feed, slice_of("all/hearth/auto/state"), slice_of("0"), slice_of("anna"), instant_at(40)));
	assert_true(feed_retain(&parts->feed, slice_of("hall/s1/a/config"), slice_of(""), slice_of(""), instant_at(50)));
	assert_string_equal(journal_text(parts->journal.journal), "series 거실/uno1/temperature/value\n"
	                                                          "거실/uno1/temperature/value 23.5 @0\n"
	                                                          "series hall/door/door/state\n"
	                                                          "hall/door/door/state half open @10\n"
	                                                          "거실/uno1/temperature/value on @20\n"
	                                                          "거실/uno1/temperature/value -1e-300 @30\n"
	                                                          "retained all/hearth/auto/state=0 by anna @40\n"
	                                                          "retained hall/s1/a/config= @50\n");
	assert_int_equal(parts->feed.counters.stored, 4);
	assert_int_equal(parts->feed.counters.lost, 0);
}

static void every_segment_explains_the_series_it_uses(void **state)
{
	struct parts *parts = *state;
	const size_t count = 5000; /* of 32 bytes in segments of 64 KiB */
	for (size_t i = 0; i < count; i++)
		parts_feed(parts, i % 2 ? "hall/s1/b/value" : A "/value", "1", (int64_t)i);
	assert_int_equal(parts->feed.counters.stored, count);
	assert_int_equal(journal_count(parts->journal.journal, RECORD_READING),
	                 count); /* journal_text checks each number */
	size_t definitions = journal_count(parts->journal.journal, RECORD_SERIES);
	assert_in_range(definitions, 4, 8);
	assert_int_equal(definitions % 2, 0);
}

static void modes_are_what_they_say(void **state)
{
	struct parts *parts = *state;
	static const struct {
		int mode;
		const char *text, *said;
		double latest;
	} rows[] = {
		{FEED_ALL, "5", LAMP "/set=1", 5},
		{FEED_STORE, "0", "", 5},
		{FEED_LATEST, "6", "", 6},
		{FEED_LATEST | FEED_RULES, "0", LAMP "/set=0", 0},
		{FEED_STORE | FEED_LATEST, "7", "", 7},
		{FEED_ALL, "7", LAMP "/set=1", 7},
	};
	parts_rules(parts, A, RULE);
	struct series *series = parts_series(parts, A "/value");
	for (size_t i = 0; i < COUNT(rows); i++) {
		feed_as(parts, A "/value", rows[i].text, (int64_t)i, rows[i].mode, (int64_t)i);
		assert_string_equal(fake_broker_said(), rows[i].said);
		assert_true(series->latest.value.number == rows[i].latest);
	}
	assert_string_equal(journal_readings(parts->journal.journal, A "/value"), "5@0 0@1 7@4 7@5");
}

static void a_new_series_is_bound_at_once(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, "hall/all/a", RULE);
	parts_feed(parts, A "/value", "2", 0);
	assert_string_equal(fake_broker_said(), LAMP "/set=1");
}

static void too_many_series_are_counted(void **state)
{
	struct parts *parts = *state;
	char name[64];
	struct topic topic;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "hall/s%d/x/value", i);
		assert_non_null(parts_series(parts, name));
	}
	assert_true(topic_parse(slice_of(A "/value"), &topic));
	assert_null(feed_series(&parts->feed, slice_of(A "/value"), &topic));
	assert_null(feed_series(&parts->feed, slice_of(A "/value"), &topic));
	assert_non_null(parts_series(parts, name));
	assert_int_equal(parts->feed.counters.crowded, 2);
}

/* ---- the store policy ---- */

struct kept {
	int at_ms;       /* when it comes */
	int measured_ms; /* when it was measured */
	const char *text;
};

/* What comes, and what of it is stored. Readings older than the latest come as the intake feeds them. */
static const struct policy {
	const char *name, *config;
	struct kept come[10];
	const char *stored;
} policies[] = {
	{"without a policy all are kept", "{}", {{0, 0, "1"}, {1, 1, "1"}, {2, 2, "1"}}, "1@0 1@1 1@2"},
	{"deadband: the distance to the last kept one counts, the band's edge included",
     "{'store':{'deadband':0.5}}",
     {{0, 0, "20"}, {1, 1, "20.4"}, {2, 2, "20.49"}, {3, 3, "20.5"}, {4, 4, "20.1"}, {5, 5, "20"}, {6, 6, "19"}},
     "20@0 20.5@3 20@5 19@6"},
	{"deadband: a creeping value is kept each half",
     "{'store':{'deadband':0.5}}",
     {{0, 0, "20"}, {1, 1, "20.25"}, {2, 2, "20.5"}, {3, 3, "20.75"}, {4, 4, "21"}},
     "20@0 20.5@2 21@4"},
	{"at_least_every keeps one now and then",
     "{'store':{'deadband':0.5,'at_least_every':2}}",
     {{0, 0, "20"},
      {1000, 1000, "20"},
      {1999, 1999, "20"},
      {2000, 2000, "20"},
      {3000, 3000, "21"},
      {4500, 4500, "21"},
      {5000, 5000, "21"}},
     "20@0 20@2000 21@3000 21@5000"},
	{"at_least_every alone drops nothing", "{'store':{'at_least_every':2}}", {{0, 0, "1"}, {1, 1, "1"}}, "1@0 1@1"},
	{"words that mean numbers are numbers",
     "{'store':{'deadband':0.5}}",
     {{0, 0, "on"}, {1, 1, "1"}, {2, 2, "true"}, {3, 3, "off"}},
     "on@0 off@3"},
	{"a late reading does not hide a change that comes after it",
     "{'store':{'deadband':1}}",
     {{10, 10, "25"}, {11, 5, "30"}, {12, 12, "30"}, {13, 13, "30.5"}},
     "25@10 30@5 30@12"},
};

static void the_policy_decides_what_is_kept(void **state)
{
	struct parts *parts = *state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		char sensor[64], topic[80];
		snprintf(sensor, sizeof sensor, "hall/p%zu/a", i);
		snprintf(topic, sizeof topic, "%s/value", sensor);
		parts_rules(parts, sensor, policies[i].config);
		int64_t latest = INT64_MIN;
		for (const struct kept *one = policies[i].come; one->text != NULL; one++) {
			feed_as(parts, topic, one->text, one->measured_ms, one->measured_ms < latest ? FEED_STORE : FEED_ALL,
			        one->at_ms);
			latest = one->measured_ms > latest ? one->measured_ms : latest;
		}
		const char *stored = journal_readings(parts->journal.journal, topic);
		if (strcmp(stored, policies[i].stored) != 0)
			fail_msg("%s: stored %s, wanted %s", policies[i].name, stored, policies[i].stored);
	}
}

/* ---- a full journal ---- */

/* Feeds another series until the journal takes no reading more. */
static void fill(struct parts *parts)
{
	uint64_t before = parts->feed.counters.lost;
	for (int i = 0; i < 100000 && parts->feed.counters.lost == before; i++)
		parts_feed(parts, "f/i/l/value", "1", 0);
	assert_int_equal(parts->feed.counters.lost, before + 1);
}

static void a_full_journal_counts_and_rules_go_on(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A, RULE);
	fill(parts);
	struct feed_counters full = parts->feed.counters;
	parts_feed(parts, A "/value", "2", 10);
	parts_feed(parts, A "/value", "0", 11);
	assert_string_equal(fake_broker_said(), LAMP "/set=1; " LAMP "/set=0");
	assert_int_equal(parts->feed.counters.stored, full.stored);
	assert_int_equal(parts->feed.counters.lost, full.lost + 4); /* two readings and two commands */
	assert_int_equal(journal_count(parts->journal.journal, RECORD_READING), full.stored);
}

static void documents_still_find_room_behind_the_last_reading(void **state)
{
	struct parts *parts = *state;
	struct slice topic = slice_of("all/hearth/auto/state");
	fill(parts);
	assert_true(feed_has_room(&parts->feed, topic, slice_of("0"), slice_of("")));
	assert_true(feed_retain(&parts->feed, topic, slice_of("0"), slice_of(""), instant_at(0)));
	assert_string_equal(journal_retained(parts->journal.journal), "all/hearth/auto/state=0");

	static char big[4096];
	memset(big, 'x', sizeof big);
	struct slice payload = {big, sizeof big};
	size_t kept = 1;
	while (feed_has_room(&parts->feed, topic, payload, slice_of(""))) {
		assert_true(feed_retain(&parts->feed, topic, payload, slice_of(""), instant_at(1)));
		kept++;
		assert_true(kept < 1000);
	}
	assert_false(feed_retain(&parts->feed, topic, payload, slice_of(""), instant_at(1)));
	assert_int_equal(journal_count(parts->journal.journal, RECORD_RETAINED), kept);
}

/* A reading that was lost is no kept one to measure the next against. */
static void a_lost_reading_is_not_taken_for_a_kept_one(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A, "{'store':{'deadband':1}}");
	parts_feed(parts, A "/value", "20", 0);
	fill(parts);
	parts_feed(parts, A "/value", "25", 10); /* lost */
	journal_trim(parts->journal.journal, journal_head(parts->journal.journal));
	fixture_sync(&parts->journal);
	uint64_t lost = parts->feed.counters.lost;
	parts_feed(parts, A "/value", "25", 20);
	assert_int_equal(parts->feed.counters.lost, lost);
	assert_string_equal(journal_readings(parts->journal.journal, A "/value"), "25@20");
}

/* ---- documents ---- */

static struct document document_of(const char *name, const char *body)
{
	return (struct document){slice_of(name), slice_of(body)};
}

static void documents_are_one_record(void **state)
{
	struct parts *parts = *state;
	const struct document documents[] = {document_of("account/anna", "{}"), document_of("session/거실", ""),
	                                     document_of("account/ben", "{\"a\":1}")};
	uint64_t end = 0;
	assert_true(feed_documents(&parts->feed, documents, COUNT(documents), instant_at(7), &end));
	assert_int_equal(end, journal_head(parts->journal.journal));
	assert_true(journal_synced(parts->journal.journal) < end);
	assert_true(feed_documents(&parts->feed, documents + 1, 1, instant_at(8), &end));
	assert_int_equal(end, journal_head(parts->journal.journal));
	assert_string_equal(journal_text(parts->journal.journal),
	                    "documents account/anna={} session/거실= account/ben={\"a\":1} @7\n"
	                    "documents session/거실= @8\n");
	fixture_sync(&parts->journal);
	assert_true(journal_synced(parts->journal.journal) >= end);
}

/* Nothing of what does not fit is there, and the end that somebody waits for stays what it was. */
static void documents_that_find_no_room_are_refused_together(void **state)
{
	struct parts *parts = *state;
	static char half[JOURNAL_PAYLOAD_MAX / 2];
	memset(half, 'x', sizeof half);
	const struct document large[] = {{slice_of("account/a"), {half, sizeof half}},
	                                 {slice_of("account/b"), {half, sizeof half}}};
	struct document one = {slice_of("account/a"), {half, 4096}};
	uint64_t end = 99;
	assert_false(feed_documents(&parts->feed, large, 2, instant_at(0), &end)); /* longer than a record may be */
	assert_false(feed_documents(&parts->feed, large, 1, instant_at(0), &end)); /* longer than a segment */
	assert_int_equal(end, 99);
	fill(parts);
	size_t kept = 0;
	while (feed_documents(&parts->feed, &one, 1, instant_at(0), &end)) {
		assert_int_equal(end, journal_head(parts->journal.journal));
		kept++;
		assert_true(kept < 1000);
	}
	assert_int_not_equal(kept, 0);
	assert_int_equal(journal_count(parts->journal.journal, RECORD_DOCUMENTS), kept);
}

static void a_document_that_is_too_long_is_refused(void **state)
{
	struct parts *parts = *state;
	static char huge[JOURNAL_PAYLOAD_MAX];
	struct slice payload = {huge, sizeof huge};
	assert_false(feed_has_room(&parts->feed, slice_of("a/b/c/config"), payload, slice_of("")));
	assert_false(feed_retain(&parts->feed, slice_of("a/b/c/config"), payload, slice_of(""), instant_at(0)));
	assert_string_equal(journal_text(parts->journal.journal), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_series_is_explained_before_its_first_reading),
		TEST(every_segment_explains_the_series_it_uses),
		TEST(modes_are_what_they_say),
		TEST(a_new_series_is_bound_at_once),
		TEST(too_many_series_are_counted),
		TEST(the_policy_decides_what_is_kept),
		TEST(a_full_journal_counts_and_rules_go_on),
		TEST(documents_still_find_room_behind_the_last_reading),
		TEST(a_lost_reading_is_not_taken_for_a_kept_one),
		TEST(documents_are_one_record),
		TEST(documents_that_find_no_room_are_refused_together),
		TEST(a_document_that_is_too_long_is_refused),
	};
	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
