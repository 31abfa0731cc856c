/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Faults in the real broker: mosquitto_hearth_fault.so (test/fault) makes the nth call of a kind fail, once or from then
 * on. The broker never dies of it; whenever it starts, rules fire; a start that is refused says why; and with the true
 * plugin afterwards, all that was acknowledged and not counted as lost is in the history once.
 *
 * One house lives through all of it. A run without a fault counts the calls; which of them fail is drawn: as many as fit
 * into some seconds, each kind at most once. TEST_LONG tries up to TRIES_LONG of each kind and mode. HEARTH_SEED repeats a
 * run as far as timing lets it. HEARTH_FAULT_PLUGIN is the plugin to load; by default it lies beside the true one.
 */
#include "chance.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "quotes.h"
#include "rows.h"

#include <libgen.h>
#include <limits.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BUDGET_MS  13000
#define TRIES_LONG 30
#define KINDS_MAX  64
#define READINGS   40
#define PORT_TRIES 5

#define CONFIG      "hall/uno1/temperature/config"
#define TEMPERATURE "hall/uno1/temperature/value"
#define MOTOR       "hall/fan1/motor/set"
#define COUNTER     "hall/uno2/count/value"
#define MARKER      "hall/uno2/marker/value"

struct kind {
	char name[32];
	uint32_t calls; /* in a run without a fault */
};

static struct kind kinds[KINDS_MAX];
static size_t kind_count;

/* What one run with a fault did. */
struct outcome {
	bool started;
	int first, last;                  /* numbers published on COUNTER, all acknowledged */
	unsigned long long refused, lost; /* as the plugin counts them */
};

static int next_number = 1;

static const char *fault_plugin(void)
{
	static char path[PATH_MAX + 64];
	const char *wanted = getenv("HEARTH_FAULT_PLUGIN");
	char plugin[PATH_MAX];

	snprintf(plugin, sizeof(plugin), "%s", house_plugin());
	if (wanted != NULL)
		snprintf(path, sizeof(path), "%s", wanted);
	else
		snprintf(path, sizeof(path), "%s/test/fault/mosquitto_hearth_fault.so", dirname(plugin));
	return path;
}

/* ---- one run ---- */

/* False if the plugin refused to start. */
static bool start_with(struct house *house, const char *fault)
{
	assert_int_equal(setenv("HEARTH_FAULT", fault, 1), 0);
	house_conf(house, "plugin %s", fault_plugin());
	bool started = house_try(house);
	for (int i = 1; !started && i < PORT_TRIES && strstr(house_log(house), "Address already in use") != NULL; i++)
		started = house_try(house);
	house_conf_clear(house);
	assert_int_equal(unsetenv("HEARTH_FAULT"), 0);
	return started;
}

static void publish_number(struct client *client, const char *topic, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	assert_true(client_send(client, topic, text, strlen(text), 1, false));
}

/* Where the config is taken the rule must fire; unless what fails is what it needs, be it memory or a publish. */
static void expect_control(struct client *client, bool demanded)
{
	const char *config = json("{'rules':[{'name':'cool','when':{'above':28},"
	                          "'then':[{'set':'hall/fan1/motor','to':1}],'else':[{'set':'hall/fan1/motor','to':0}]}]}");
	bool taken = client_publish_bytes(client, CONFIG, config, strlen(config), true) == 0;

	client_drain(client, MOTOR);
	client_publish(client, TEMPERATURE, "20");
	client_publish(client, TEMPERATURE, "30");
	client_fence(client);
	if (taken && demanded)
		client_expect_last(client, MOTOR, "1");
}

/* The number in front of a word in the log's line "stopping: 54 messages, 48 stored, 0 refused, 0 lost, …". */
static unsigned long long counter(struct house *house, const char *word)
{
	const char *line = strstr(house_log(house), "hearth: stopping: ");
	const char *at = line != NULL ? strstr(line, word) : NULL;

	if (at == NULL) {
		fail_msg("no counters in the log:\n%s", house_log(house));
		return 0;
	}
	while (at > line && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return strtoull(at, NULL, 10);
}

static void run(struct house *house, const char *fault, bool demanded, struct outcome *out)
{
	*out = (struct outcome){.first = next_number};
	out->started = start_with(house, fault);
	if (!out->started) {
		if (house_count_log(house, "hearth: ", NULL) == 0)
			fail_msg("%s: the start was refused without a word:\n%s", fault, house_log(house));
		return;
	}
	struct client *client = client_connect(house, CLIENT_V5, NULL);
	client_subscribe(client, MOTOR);
	expect_control(client, demanded);
	for (int i = 0; i < READINGS; i++)
		publish_number(client, COUNTER, next_number++);
	assert_true(client_flush(client));
	out->last = next_number - 1;
	expect_control(client, demanded);
	client_free(client);
	house_stop(house);

	out->refused = counter(house, " refused");
	out->lost = counter(house, " lost");
}

/* With the true plugin: what was acknowledged is in the history, once. `slack` may be missing without being counted. */
static void check(struct house *house, const char *fault, const struct outcome *outcome, unsigned slack)
{
	char sql[256];
	const bool damaged = strstr(house_log(house), "The journal is damaged") != NULL;

	house_start(house);
	struct client *client = client_connect(house, CLIENT_V5, NULL);
	int marker = next_number++;
	publish_number(client, MARKER, marker);
	assert_true(client_flush(client));
	snprintf(sql, sizeof(sql), "select count(*) from readings where sensor='marker' and value=%d", marker);
	rows_expect(house, sql, "1\n"); /* and so is all that was published before it */
	if (outcome->started) {
		snprintf(sql, sizeof(sql),
		         "select count(*),count(distinct value) from readings where sensor='count' and value between %d and %d",
		         outcome->first, outcome->last);
		char *rows = rows_query(house->history, sql), *second = NULL;
		assert_non_null(rows);
		unsigned long long count = strtoull(rows, &second, 10);
		unsigned long long distinct = strtoull(*second == '|' ? second + 1 : "", NULL, 10);
		free(rows);
		if (count != distinct || (!damaged && count + outcome->lost + outcome->refused + slack < READINGS))
			fail_msg("%s: %d readings acknowledged, %llu lost, %llu refused; %llu rows, %llu different", fault,
			         READINGS, outcome->lost, outcome->refused, count, distinct);
	}
	expect_control(client, false);
	client_free(client);
	house_stop(house);
}

/* ---- which faults ---- */

/* Takes "fault: calls memory=250 thread=3 …" from the log of a run that ended. */
static void read_calls(struct house *house)
{
	static const char beginning[] = "fault: calls ";
	const char *line = strstr(house_log(house), beginning);

	for (const char *at = line != NULL ? line + strlen(beginning) : "\n"; *at != '\n' && kind_count < KINDS_MAX;) {
		struct kind *kind = &kinds[kind_count];
		size_t len = strcspn(at, "=\n");
		char *end = NULL;
		if (at[len] != '=' || len >= sizeof(kind->name))
			break;
		memcpy(kind->name, at, len);
		kind->name[len] = '\0';
		kind->calls = (uint32_t)strtoul(at + len + 1, &end, 10);
		kind_count += kind->calls > 0;
		at = end + strspn(end, " ");
	}
	assert_true(kind_count > 0);
}

static bool is(const struct kind *kind, const char *name)
{
	return strcmp(kind->name, name) == 0;
}

static void try_fault(struct house *house, const struct kind *kind, uint32_t n, bool once)
{
	char fault[64];
	struct outcome outcome;
	const bool shortage = is(kind, "memory") || is(kind, "cjson") || is(kind, "broker");

	snprintf(fault, sizeof(fault), "%s:%u:%s", kind->name, n, once ? "once" : "on");
	print_message("# %s\n", fault);
	run(house, fault, !shortage, &outcome);
	/* A reading of a new series for which there is no memory is told in the log, and not counted with the others. */
	check(house, fault, &outcome, is(kind, "memory") ? (once ? 1 : READINGS) : 0);
}

/* A lock that stays taken would be waited for longer than the test waits for a start. */
static bool once_only(const struct kind *kind)
{
	return is(kind, "vfs_lock");
}

static void try_some(struct house *house)
{
	int64_t end = now_ms() + BUDGET_MS;
	size_t tried = 0;

	for (; tried < kind_count && now_ms() < end; tried++) {
		size_t drawn = tried + chance_below((uint32_t)(kind_count - tried));
		struct kind kind = kinds[drawn];
		kinds[drawn] = kinds[tried];
		kinds[tried] = kind;
		try_fault(house, &kind, 1 + chance_below(kind.calls), once_only(&kind) || chance_once_in(2));
	}
	print_message("# %zu of %zu kinds of calls were made to fail\n", tried, kind_count);
}

static void try_many(struct house *house)
{
	for (size_t i = 0; i < kind_count; i++) {
		uint32_t step = (kinds[i].calls + TRIES_LONG - 1) / TRIES_LONG;
		for (uint32_t n = 1 + chance_below(step); n <= kinds[i].calls; n += step) {
			try_fault(house, &kinds[i], n, true);
			if (!once_only(&kinds[i]))
				try_fault(house, &kinds[i], n, false);
		}
	}
}

static void calls_fail_and_the_house_goes_on(void **state)
{
	const char *wanted = getenv("TEST_LONG"), *only = getenv("FAULT_ONLY");
	struct house *house = house_new();
	struct outcome outcome;

	(void)state;
	chance_begin();
	house_conf(house, "plugin_opt_journal_max 8M");
	run(house, "count", true, &outcome);
	assert_true(outcome.started);
	read_calls(house);
	check(house, "count", &outcome, 0);
	if (only != NULL) {
		run(house, only, false, &outcome);
		check(house, only, &outcome, 0);
	} else if (wanted != NULL && strcmp(wanted, "1") == 0) {
		try_many(house);
	} else {
		try_some(house);
	}
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(calls_fail_and_the_house_goes_on, client_teardown),
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
