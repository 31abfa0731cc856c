/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See trial.h. */
#include "trial.h"

#include "patience.h"
#include "quotes.h"
#include "rows.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT "livingroom/uno1/count/value"
#define WORD  "livingroom/uno1/word/set"

void trial_connect(struct trial *trial)
{
	trial->client = client_connect(trial->house, CLIENT_V3, NULL);
	client_subscribe(trial->client, TRIAL_MOTOR);
}

struct trial trial_new(void)
{
	struct trial trial = {.house = house_new()};

	snprintf(trial.disk, sizeof(trial.disk), "%s/disk", trial.house->folder);
	snprintf(trial.history, sizeof(trial.history), "%s", trial.house->history);
	return trial;
}

struct trial trial_new_in(struct mariadb_server *server)
{
	struct trial trial = trial_new();

	trial.house->server = server;
	snprintf(trial.history, sizeof(trial.history), "mariadb://");
	return trial;
}

void trial_history_on_disk(struct trial *trial)
{
	snprintf(trial->history, sizeof(trial->history), "%.80s/history.db", trial->disk);
	house_conf(trial->house, "plugin_opt_store sqlite:%s", trial->history);
}

void trial_set_rule(struct trial *trial)
{
	client_publish_retained(trial->client, TRIAL_CONFIG,
	                        json("{'rules':[{'name':'cool','when':{'above':28},"
	                             "'then':[{'set':'livingroom/fan1/motor','to':1}],"
	                             "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}"));
	client_publish(trial->client, TRIAL_VALUE, "20");
	client_expect(trial->client, TRIAL_MOTOR, "0", SOON);
	trial->all += 2;
}

void trial_begin(struct trial *trial)
{
	house_start(trial->house);
	trial_connect(trial);
	trial_set_rule(trial);
}

void trial_end(struct trial *trial)
{
	client_free(trial->client);
	house_free(trial->house);
}

void trial_controls(struct trial *trial)
{
	client_publish(trial->client, TRIAL_VALUE, "30");
	client_expect(trial->client, TRIAL_MOTOR, "1", SOON);
	client_publish(trial->client, TRIAL_VALUE, "20");
	client_expect(trial->client, TRIAL_MOTOR, "0", SOON);
	trial->all += 4;
}

void trial_count(struct trial *trial, int readings)
{
	for (int i = 0; i < readings; i++) {
		char text[24];
		int len = snprintf(text, sizeof(text), "%lld", trial->sent++);

		assert_true(client_send(trial->client, COUNT, text, (size_t)len, 1, false));
	}
	assert_true(client_flush(trial->client));
	trial->all += readings;
}

void trial_words(struct trial *trial, int words)
{
	static char word[4000];

	memset(word, 'x', sizeof(word));
	for (int i = 0; i < words; i++)
		assert_true(client_send(trial->client, WORD, word, sizeof(word), 1, false));
	assert_true(client_flush(trial->client));
	trial->all += words;
}

static void expect_in_history(const struct trial *trial, const char *sql, const char *wanted)
{
	if (trial->house->server == NULL)
		rows_expect_in(trial->history, sql, wanted);
	else
		rows_expect(trial->house, sql, wanted);
}

void trial_expect_exactly_once(const struct trial *trial)
{
	char wanted[96];

	snprintf(wanted, sizeof(wanted), "%lld|%lld|%lld\n", trial->sent, trial->sent, trial->sent * (trial->sent - 1) / 2);
	expect_in_history(trial,
	                  "select count(*),count(distinct value),cast(sum(value) as integer) from readings where"
	                  " sensor='count'",
	                  wanted);
	if (trial->house->server == NULL || trial->sent == 0)
		return;
	snprintf(wanted, sizeof(wanted), "%lld|0|%lld\n%lld|0|%lld\n", trial->sent, trial->sent - 1, trial->sent,
	         trial->sent - 1);
	rows_expect(trial->house,
	            "select sum(count),min(min),max(max) from readings_by_minute where sensor='count';"
	            "select sum(count),min(min),max(max) from readings_by_hour where sensor='count'",
	            wanted);
}

void trial_expect_lines(const struct trial *trial, const char *begin_line, const char *words, const char *end_line,
                        size_t ends)
{
	if (house_count_log(trial->house, begin_line, NULL) != 1 || house_count_log(trial->house, begin_line, words) != 1 ||
	    house_count_log(trial->house, end_line, NULL) != ends)
		fail_msg("wanted one line \"%s … %s\" and %zu \"%s\":\n%s", begin_line, words, ends, end_line,
		         house_log(trial->house));
}

bool trial_is_long(void)
{
	const char *wanted = getenv("TEST_LONG");

	return wanted != NULL && wanted[0] != '\0';
}

void trial_live_for(struct trial *trial, int ms)
{
	for (int64_t until = now_ms() + ms; now_ms() < until;) {
		trial_count(trial, 10);
		trial_controls(trial);
	}
}
