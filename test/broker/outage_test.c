/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Outages of the history store and of the journal's disk: the house keeps controlling, the log has one line when it begins
 * and one when it ends, and what was acknowledged and had room in the journal is stored exactly once.
 */
#include "disk.h"
#include "patience.h"
#include "rows.h"
#include "trial.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define AWAY       "The history store (sqlite) cannot be used"
#define BACK       "The history store (sqlite) works again"
#define FULL       "The journal is full"
#define ROOM_AGAIN "The journal has room again"

/* A history on a disk of its own may be so large, in KiB. */
#define HISTORY_KIB 16384

/* ---- the history ---- */

static void history_locked_by_another_program(void **state)
{
	struct trial trial = trial_new();

	(void)state;
	trial_begin(&trial);
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	disk_lock(trial.history);
	trial_live_for(&trial, trial_is_long() ? 60000 : 6000);
	trial_expect_lines(&trial, AWAY, "another program uses it", BACK, 0);
	disk_unlock();
	house_wait_log(trial.house, BACK);
	trial_expect_exactly_once(&trial);
	trial_expect_lines(&trial, AWAY, trial.history, BACK, 1);
	trial_end(&trial);
}

static void history_deleted(void **state)
{
	struct trial trial = trial_new();

	(void)state;
	trial_begin(&trial);
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	assert_int_equal(unlink(trial.history), 0);
	trial_count(&trial, 100);
	trial_controls(&trial);
	house_wait_log(trial.house, BACK);
	trial_expect_exactly_once(&trial); /* all of it is in the journal yet */
	trial_expect_lines(&trial, AWAY, "deleted or replaced", BACK, 1);
	trial_end(&trial);
}

static void history_replaced_by_rubbish(void **state)
{
	struct trial trial = trial_new();
	char rubbish[96];
	FILE *file;

	(void)state;
	trial_begin(&trial);
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	snprintf(rubbish, sizeof(rubbish), "%.80s/rubbish", trial.house->folder);
	file = fopen(rubbish, "we");
	assert_non_null(file);
	for (int i = 0; i < 200; i++)
		fputs("This is no database. ", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(rubbish, trial.history), 0);
	trial_live_for(&trial, 2000);
	trial_expect_lines(&trial, AWAY, "deleted or replaced", BACK, 0);
	assert_int_equal(unlink(trial.history), 0);
	house_wait_log(trial.house, BACK);
	trial_expect_exactly_once(&trial);
	trial_expect_lines(&trial, AWAY, trial.history, BACK, 1);
	trial_end(&trial);
}

/* A copy from a while ago: what came since then comes again from the journal. */
static void history_replaced_by_an_older_copy(void **state)
{
	struct trial trial = trial_new();
	char copy[96], sql[160];

	(void)state;
	trial_begin(&trial);
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	snprintf(copy, sizeof(copy), "%.80s/copy.db", trial.house->folder);
	snprintf(sql, sizeof(sql), "vacuum into '%s'", copy);
	free(rows_query(trial.history, sql));
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	assert_int_equal(rename(copy, trial.history), 0);
	trial_count(&trial, 100);
	trial_controls(&trial);
	house_wait_log(trial.house, BACK);
	trial_expect_exactly_once(&trial);
	trial_expect_lines(&trial, AWAY, "deleted or replaced", BACK, 1);
	trial_end(&trial);
}

static void history_on_a_full_disk(void **state)
{
	struct trial trial = trial_new();

	(void)state;
	if (!disk_mount(trial.disk, HISTORY_KIB)) {
		house_free(trial.house);
		skip();
	}
	trial_history_on_disk(&trial);
	trial_begin(&trial);
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	disk_fill(trial.disk);
	/* What is there has some room left. */
	for (int i = 0; i < 100 && house_count_log(trial.house, AWAY, NULL) == 0; i++)
		trial_count(&trial, 500);
	house_wait_log(trial.house, AWAY);
	trial_live_for(&trial, 1500);
	trial_expect_lines(&trial, AWAY, "its disk needs room", BACK, 0);

	/* Neither does it keep the house from starting. */
	client_free(trial.client);
	house_kill(trial.house);
	house_start(trial.house);
	trial_connect(&trial);
	trial_live_for(&trial, 1500);
	house_wait_log(trial.house, AWAY);
	disk_free(trial.disk);
	house_wait_log(trial.house, BACK);
	trial_expect_exactly_once(&trial);
	trial_expect_lines(&trial, AWAY, trial.history, BACK, 1);
	house_stop(trial.house);
	disk_unmount(trial.disk);
	trial_end(&trial);
}

static void history_on_a_read_only_disk(void **state)
{
	struct trial trial = trial_new();

	(void)state;
	if (!disk_mount(trial.disk, HISTORY_KIB)) {
		house_free(trial.house);
		skip();
	}
	trial_history_on_disk(&trial);
	disk_read_only(trial.disk, true);
	trial_begin(&trial);
	trial_count(&trial, 100);
	house_wait_log(trial.house, AWAY);
	trial_live_for(&trial, 1000);
	trial_expect_lines(&trial, AWAY, "Read-only", BACK, 0);
	disk_read_only(trial.disk, false);
	house_wait_log(trial.house, BACK);
	trial_expect_exactly_once(&trial);
	trial_expect_lines(&trial, AWAY, trial.history, BACK, 1);
	house_stop(trial.house);
	disk_unmount(trial.disk);
	trial_end(&trial);
}

/* ---- the journal ---- */

/* Ends the house and returns how many readings it says were lost. */
static long long stop_and_ask_lost(struct trial *trial)
{
	const char *line, *lost;
	long long number = -1;

	client_free(trial->client);
	trial->client = NULL;
	house_stop(trial->house);
	line = strstr(house_log(trial->house), "stopping: ");
	assert_non_null(line);
	lost = strstr(line, " refused, ");
	assert_non_null(lost);
	number = strtoll(lost + strlen(" refused, "), NULL, 10);
	return number;
}

/* What was not counted as lost is there. */
static void expect_all_but(const struct trial *trial, long long lost)
{
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "%lld\n", trial->all - lost);
	rows_expect_in(trial->history, "select count(*) from readings", wanted);
}

/* Readings come until it is said that the journal has room again. */
static void wait_for_room(struct trial *trial)
{
	int64_t deadline = deadline_in(30000);

	while (house_count_log(trial->house, ROOM_AGAIN, NULL) == 0) {
		if (now_ms() > deadline)
			fail_msg("no \"%s\" in the broker's log:\n%s", ROOM_AGAIN, house_log(trial->house));
		client_publish(trial->client, "livingroom/uno1/tick/value", "1");
		trial->all++;
		look_again();
	}
}

static void journal_on_a_full_disk(void **state)
{
	enum { WORDS = 5000 }; /* more than the segments that were made before hold */
	struct trial trial = trial_new();
	const char *cannot = "The journal cannot be brought to the disk";
	long long lost;

	(void)state;
	if (!disk_mount(trial.disk, 32768)) {
		house_free(trial.house);
		skip();
	}
	snprintf(trial.history, sizeof(trial.history), "%.80s/history.db", trial.house->folder);
	house_conf(trial.house, "plugin_opt_state_dir %s", trial.disk);
	house_conf(trial.house, "plugin_opt_store sqlite:%s", trial.history);
	house_conf(trial.house, "plugin_opt_journal_max 64M");
	trial_begin(&trial);
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	disk_fill(trial.disk);
	trial_words(&trial, WORDS);
	trial_controls(&trial);
	house_wait_log(trial.house, FULL);
	trial_expect_lines(&trial, cannot, trial.disk, ROOM_AGAIN, 0);
	disk_free(trial.disk);
	house_wait_log(trial.house, "The journal is brought to the disk again");
	trial_count(&trial, 100);
	wait_for_room(&trial);
	trial_controls(&trial);
	trial_expect_lines(&trial, FULL, "rules go on", ROOM_AGAIN, 1);
	assert_int_equal(house_count_log(trial.house, cannot, NULL), 1);
	lost = stop_and_ask_lost(&trial);
	assert_true(lost > 0);
	assert_true(lost < WORDS);
	trial_expect_exactly_once(&trial);
	expect_all_but(&trial, lost);
	disk_unmount(trial.disk);
	trial_end(&trial);
}

static void journal_reaches_its_quota(void **state)
{
	enum { WORDS = 1500 }; /* 6 MB */
	struct trial trial = trial_new();
	long long lost;

	(void)state;
	trial_history_on_disk(&trial); /* which is not there */
	house_conf(trial.house, "plugin_opt_journal_max 4M");
	trial_begin(&trial);
	trial_count(&trial, 100);
	trial_words(&trial, WORDS);
	trial_controls(&trial);
	house_wait_log(trial.house, FULL);
	/* A disk that is slow to make segments refuses readings before the quota does: then it takes some more of them. */
	for (int i = 0; i < 50 && house_count_log(trial.house, "The journal is 80 % full", NULL) == 0; i++)
		trial_words(&trial, WORDS / 30);
	house_wait_log(trial.house, "The journal is 80 % full");
	trial_expect_lines(&trial, AWAY, "No such file", BACK, 0);
	assert_int_equal(mkdir(trial.disk, 0700), 0);
	house_wait_log(trial.house, BACK);
	wait_for_room(&trial);
	trial_count(&trial, 100);
	trial_controls(&trial);
	trial_expect_lines(&trial, AWAY, trial.history, BACK, 1);
	trial_expect_lines(&trial, FULL, "rules go on", ROOM_AGAIN, 1);
	trial_expect_lines(&trial, "The journal is 80 % full", "plugin_opt_journal_max", "The journal is below 70 % again",
	                   1);
	lost = stop_and_ask_lost(&trial);
	assert_true(lost > 0 && lost < trial.all);
	trial_expect_exactly_once(&trial);
	expect_all_but(&trial, lost);
	trial_end(&trial);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(history_locked_by_another_program, client_teardown),
		cmocka_unit_test_teardown(history_deleted, client_teardown),
		cmocka_unit_test_teardown(history_replaced_by_rubbish, client_teardown),
		cmocka_unit_test_teardown(history_replaced_by_an_older_copy, client_teardown),
		cmocka_unit_test_teardown(history_on_a_full_disk, client_teardown),
		cmocka_unit_test_teardown(history_on_a_read_only_disk, client_teardown),
		cmocka_unit_test_teardown(journal_on_a_full_disk, client_teardown),
		cmocka_unit_test_teardown(journal_reaches_its_quota, client_teardown),
	};

	return cmocka_run_group_tests_name("outage", tests, NULL, NULL);
}
