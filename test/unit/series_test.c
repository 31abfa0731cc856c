/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * series_test: a house of 100,000 series, names that share a slot, latest values, resends and watchers.
 */
#include "guard.h"
#include "series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SEED         UINT64_C(0x0123456789ABCDEF)
#define MANY         100000
#define SLOTS_FIRST  1024 /* slots of an empty table */
#define RESENDS      SERIES_RESEND_KEYS

static struct series *intern(struct series_table *table, const char *name, bool *made)
{
	struct slice slice = guarded_text(name);
	struct topic topic;
	assert_true(topic_parse(slice, &topic));
	return series_intern(table, slice, &topic, made);
}

static struct series_table *table_make(size_t max)
{
	struct series_table *table = series_table_new(max, SEED);
	assert_non_null(table);
	return table;
}

static void many_name(char out[static 64], unsigned n)
{
	snprintf(out, 64, "room%u/uno%u/sensor%u/value", n % 7, n / 7 % 1000, n);
}

static void finds_each_of_many(void **state)
{
	struct series_table *table = table_make(MANY);
	char name[64];
	bool made;
	(void)state;
	for (unsigned n = 0; n < MANY; n++) {
		many_name(name, n);
		struct series *series = intern(table, name, &made);
		assert_true(series != NULL && made);
		assert_int_equal(series->number, n);
		assert_int_equal(series_count(table), n + 1);
	}
	for (unsigned n = 0; n < MANY; n++) {
		many_name(name, n);
		struct series *series = series_find(table, guarded_text(name));
		assert_ptr_equal(series, series_at(table, n));
		assert_int_equal(series->number, n);
		assert_string_equal(series->name, name);
		assert_ptr_equal(intern(table, name, &made), series);
		assert_false(made);
		many_name(name, n + MANY);
		assert_null(series_find(table, guarded_text(name)));
	}
	assert_int_equal(series_count(table), MANY);
	/* It is full: what is there is still found, what is new is refused. */
	assert_null(intern(table, "one/more/sensor/value", &made));
	assert_int_equal(series_count(table), MANY);
	many_name(name, 0);
	assert_ptr_equal(intern(table, name, &made), series_at(table, 0));
	series_table_free(table);
}

static void holds_no_more_than_its_maximum(void **state)
{
	static const size_t maxima[] = {0, 1, 2, 767, 768, 769, 1024};
	char name[64];
	bool made;
	(void)state;
	for (size_t i = 0; i < COUNT(maxima); i++) {
		struct series_table *table = table_make(maxima[i]);
		for (unsigned n = 0; n < maxima[i] + 3; n++) {
			many_name(name, n);
			assert_int_equal(intern(table, name, &made) != NULL, n < maxima[i]);
		}
		assert_int_equal(series_count(table), maxima[i]);
		series_table_free(table);
	}
	series_table_free(NULL);
}

/* Names that all belong in the table's last slot fill others from there on, round the end too. */
static void finds_names_that_share_a_slot(void **state)
{
	enum { SHARING = 40 };
	struct series_table *all = table_make(MANY), *table = table_make(SHARING - 1);
	const char *names[SHARING];
	size_t count = 0;
	char name[64];
	bool made;
	(void)state;
	for (unsigned n = 0; n < MANY && count < SHARING; n++) {
		many_name(name, n);
		struct series *series = intern(all, name, &made);
		assert_non_null(series);
		if (series->hash % SLOTS_FIRST == SLOTS_FIRST - 1)
			names[count++] = series->name;
	}
	assert_int_equal(count, SHARING);
	for (size_t i = 0; i < SHARING - 1; i++) {
		assert_null(series_find(table, slice_of(names[i])));
		assert_non_null(intern(table, names[i], &made));
	}
	for (size_t i = 0; i < SHARING - 1; i++)
		assert_int_equal(series_find(table, slice_of(names[i]))->number, i);
	assert_null(series_find(table, slice_of(names[SHARING - 1])));
	series_table_free(table);
	series_table_free(all);
}

static void tells_similar_names_apart(void **state)
{
	static const char *const names[] = {
		"a/b/c/value", "a/b/c/set",    "a/b/d/value",  "b/a/c/value", "aa/b/c/value", "a/bb/c/value",
		"A/b/c/value", "거실/b/c/set", "거/실b/c/set", "a/b/c/state", "a/b/c/status", "aaaaaaaa/b/c/value",
	};
	struct series_table *table = table_make(100);
	bool made;
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_true(intern(table, names[i], &made) != NULL && made);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(series_find(table, slice_of(names[i]))->number, i);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_null(series_find(table, (struct slice){names[i], strlen(names[i]) - 1}));
	assert_null(series_find(table, slice_of("")));
	series_table_free(table);
}

static void hashes_by_its_seed(void **state)
{
	struct series_table *one = table_make(10), *other = series_table_new(10, SEED + 1);
	bool made;
	(void)state;
	assert_non_null(other);
	assert_int_not_equal(intern(one, "a/b/c/value", &made)->hash, intern(other, "a/b/c/value", &made)->hash);
	series_table_free(one);
	series_table_free(other);
}

static void splits_names_again(void **state)
{
	static const struct {
		const char *name, *location, *device, *sensor;
		enum topic_subject subject;
		bool own;
	} rows[] = {
		{"a/b/c/value", "a", "b", "c", SUBJECT_VALUE, false},
		{"livingroom/fan1/motor/set", "livingroom", "fan1", "motor", SUBJECT_SET, false},
		{"거실/우노/온도/state", "거실", "우노", "온도", SUBJECT_STATE, false},
		{"livingroom/uno1/device/status", "livingroom", "uno1", "device", SUBJECT_STATUS, false},
		{"all/all/temperature/config", "all", "all", "temperature", SUBJECT_CONFIG, false},
		{"a/b/c/ack", "a", "b", "c", SUBJECT_ACK, false},
		{"a/b/c/alarm", "a", "b", "c", SUBJECT_ALARM, false},
		{"a/b/c/error", "a", "b", "c", SUBJECT_ERROR, false},
		{"livingroom/hearth/auto/set", "livingroom", "hearth", "auto", SUBJECT_SET, true},
		{"pi/hearth/cpu/value", "pi", "hearth", "cpu", SUBJECT_VALUE, true},
		{"hearth/uno1/cpu/value", "hearth", "uno1", "cpu", SUBJECT_VALUE, false},
		{"pi/hearth2/cpu/value", "pi", "hearth2", "cpu", SUBJECT_VALUE, false},
		{"pi/Hearth/cpu/value", "pi", "Hearth", "cpu", SUBJECT_VALUE, false},
	};
	struct series_table *table = table_make(100);
	bool made;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct series *series = intern(table, rows[i].name, &made);
		struct topic topic = series_topic(series);
		assert_true(slice_is(topic.location, rows[i].location) && slice_is(topic.device, rows[i].device));
		assert_true(slice_is(topic.sensor, rows[i].sensor));
		assert_int_equal(topic.subject, rows[i].subject);
		assert_int_equal(series->own, rows[i].own);
		assert_false(series->latest.known);
		assert_true(series->stored_us == INT64_MIN);
	}
	series_table_free(table);
}

static void splits_the_longest_name(void **state)
{
	/* 512 bytes with most of them in one level */
	static const char *const shapes[] = {"%.*s/b/c/value", "a/%.*s/c/value", "a/b/%.*s/value"};
	struct series_table *table = table_make(100);
	char filler[TOPIC_MAX], name[TOPIC_MAX + 1];
	bool made;
	(void)state;
	memset(filler, 'x', sizeof filler);
	for (size_t i = 0; i < COUNT(shapes); i++) {
		memset(name, 0, sizeof name);
		const char *mark = strstr(shapes[i], "%.*s");
		size_t before = (size_t)(mark - shapes[i]), behind = strlen(mark + 4), fill = TOPIC_MAX - before - behind;
		memcpy(name, shapes[i], before);
		memcpy(name + before, filler, fill);
		memcpy(name + before + fill, mark + 4, behind);
		struct series *series = intern(table, name, &made);
		struct topic topic = series_topic(series), wanted;
		assert_true(topic_parse(slice_of(name), &wanted));
		assert_true(slice_equal(topic.location, wanted.location) && slice_equal(topic.device, wanted.device) &&
		            slice_equal(topic.sensor, wanted.sensor));
	}
	series_table_free(table);
}

/* ---- latest value ---- */

static void keeps_its_own_copy_of_the_latest_value(void **state)
{
	static const char *const texts[] = {
		"on", "23.5", "a longer text than that", "x", "a longer text than before, again", "off", "",
		"-1", "y",    "문이 열렸습니다"};
	struct series_table *table = table_make(1);
	bool made;
	(void)state;
	struct series *series = intern(table, "a/b/c/value", &made);
	series->latest.stale_after_ms = 60000;
	for (size_t i = 0; i < COUNT(texts); i++) {
		char text[64];
		snprintf(text, sizeof text, "%s", texts[i]);
		struct value value = value_of_text(slice_of(text));
		assert_true(series_set_latest(series, &value, (int64_t)i, (int64_t)i * 2));
		memset(text, '!', sizeof text);
		value = value_of_text(slice_of(texts[i]));
		assert_true(slice_equal(series->latest.value.text, value.text));
		assert_true(value_equal(&series->latest.value, &value));
		assert_int_equal(series->latest.value.is_number, value.is_number);
		assert_int_equal(series->latest.time_us, i);
		assert_int_equal(series->latest.received_ms, i * 2);
		assert_int_equal(series->latest.stale_after_ms, 60000);
		assert_true(series->latest.known);
	}
	series_table_free(table);
}

/* Every length after every other, so that no growth is forgotten and no shrinking reads too far. */
static void latest_text_grows_and_shrinks(void **state)
{
	static char longest[VALUE_TEXT_MAX];
	static const size_t lengths[] = {0, 1, 2, 7, 8, 9, 63, 64, 65, 4095, VALUE_TEXT_MAX};
	struct series_table *table = table_make(1);
	bool made;
	(void)state;
	struct series *series = intern(table, "a/b/c/state", &made);
	memset(longest, 'x', sizeof longest);
	for (size_t i = 0; i < COUNT(lengths) * COUNT(lengths) * 2; i++) {
		size_t len = lengths[i % 2 ? i / 2 % COUNT(lengths) : i / 2 / COUNT(lengths)];
		struct value value = value_of_text(guarded(longest, len));
		assert_true(series_set_latest(series, &value, 1, 1));
		assert_true(slice_equal(series->latest.value.text, value.text));
	}
	/* Itself again is allowed. */
	struct value itself = series->latest.value;
	itself.text.len /= 2;
	assert_true(series_set_latest(series, &itself, 1, 1));
	assert_true(slice_equal(series->latest.value.text, (struct slice){longest, itself.text.len}));
	series_table_free(table);
}

/* ---- resends ---- */

/* As a reading does that is taken in if it is new. */
static bool comes_again(struct series *series, uint64_t key)
{
	if (series_is_resend(series, key))
		return true;
	series_remember(series, key);
	return false;
}

static void remembers_the_last_keys(void **state)
{
	struct series_table *table = table_make(2);
	bool made;
	(void)state;
	struct series *series = intern(table, "a/b/c/value", &made), *other = intern(table, "a/b/d/value", &made);
	for (uint64_t key = 1; key <= RESENDS; key++)
		assert_false(comes_again(series, key));
	for (uint64_t key = RESENDS; key >= 1; key--)
		assert_true(comes_again(series, key));
	assert_false(comes_again(other, 1));
	/* One more takes the place of the first, and of no other. */
	assert_false(comes_again(series, RESENDS + 1));
	for (uint64_t key = 2; key <= RESENDS + 1; key++)
		assert_true(comes_again(series, key));
	assert_false(comes_again(series, 1));
	assert_false(comes_again(series, 2));
	assert_true(comes_again(series, 4));
	assert_true(comes_again(series, 1));
	series_table_free(table);
}

static void forgets_keys_in_order(void **state)
{
	struct series_table *table = table_make(1);
	bool made;
	(void)state;
	struct series *series = intern(table, "a/b/c/value", &made);
	for (uint64_t key = 1; key <= 3 * RESENDS; key++) {
		assert_false(comes_again(series, key));
		for (uint64_t back = 0; back < RESENDS && back < key; back += 31)
			assert_true(comes_again(series, key - back));
	}
	series_table_free(table);
}

/* ---- watchers ---- */

/* Holds the watchers against letters: "ac" means the first and the third rule. */
static void expect_watchers(const struct series *series, const struct bound_rule *rules, const char *letters)
{
	assert_int_equal(series->watcher_count, strlen(letters));
	for (size_t i = 0; letters[i] != '\0'; i++)
		assert_ptr_equal(series->watchers[i], &rules[letters[i] - 'a']);
}

static void watches_and_unwatches(void **state)
{
	static const struct {
		const char *step; /* +x watches, -x unwatches */
		const char *watchers;
	} rows[] = {
		{"-a", ""},   {"+a", "a"},   {"+b", "ab"}, {"+c", "abc"}, {"-d", "abc"}, {"-b", "ac"},
		{"-b", "ac"}, {"+b", "acb"}, {"-a", "cb"}, {"+d", "cbd"}, {"-d", "cb"},  {"-c", "b"},
		{"-b", ""},   {"-b", ""},    {"+c", "c"},  {"-c", ""},
	};
	static struct bound_rule rules[4];
	struct series_table *table = table_make(1);
	bool made;
	(void)state;
	struct series *series = intern(table, "a/b/c/value", &made);
	expect_watchers(series, rules, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bound_rule *rule = &rules[rows[i].step[1] - 'a'];
		if (rows[i].step[0] == '+')
			assert_true(series_watch(series, rule));
		else
			series_unwatch(series, rule);
		expect_watchers(series, rules, rows[i].watchers);
	}
	series_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_each_of_many),
		cmocka_unit_test(holds_no_more_than_its_maximum),
		cmocka_unit_test(finds_names_that_share_a_slot),
		cmocka_unit_test(tells_similar_names_apart),
		cmocka_unit_test(hashes_by_its_seed),
		cmocka_unit_test(splits_names_again),
		cmocka_unit_test(splits_the_longest_name),
		cmocka_unit_test(keeps_its_own_copy_of_the_latest_value),
		cmocka_unit_test(latest_text_grows_and_shrinks),
		cmocka_unit_test(remembers_the_last_keys),
		cmocka_unit_test(forgets_keys_in_order),
		cmocka_unit_test(watches_and_unwatches),
	};
	return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
