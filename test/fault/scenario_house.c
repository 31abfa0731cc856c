/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * scenario_house: see scenario_house.h.
 */
#include "scenario_house.h"

#include "../unit/fake_broker.h"
#include "crew.h"
#include "fault.h"
#include "keeper.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SEGMENT       65536
#define QUOTA         (6 * SEGMENT)
#define START_MONO_MS 1000000
#define SETTLE_MS     60
#define DRAIN_MS      20000
#define FILES_MAX     256
#define NOTICES_MOST  8 /* one for each thing that can fail, and one when it works again */

/* ---- a small house: stands in for three calls inside the plugin, see wrapped_inside.txt ---- */

SEAM(struct journal *, journal_open, (const struct journal_options *options, char *error, size_t error_size))
{
	struct journal_options small = *options;
	small.quota = QUOTA;
	small.segment_size = SEGMENT;
	return journal_open(&small, error, error_size);
}

SEAM(struct keeper *, keeper_start, (const struct keeper_options *options))
{
	struct keeper_options hasty = *options;
	hasty.trim_behind_ms = 1;
	hasty.reserve_ms = 0;
	return keeper_start(&hasty);
}

/* ---- files that are left open ---- */

/* Without opendir, whose own file would count. */
static void count_files(void *context)
{
	size_t count = 0;
	for (int file = 0; file < FILES_MAX; file++)
		count += fcntl(file, F_GETFD) >= 0;
	*(size_t *)context = count;
}

static size_t crew_files; /* as many as a crew has that has opened nothing */

void scenario_prepare(void)
{
	struct crew *crew = crew_start();
	if (crew == NULL)
		scenario_fail("no thread");
	crew_run(crew, count_files, &crew_files);
	crew_stop(crew);
}

SEAM(void, crew_stop, (struct crew * crew))
{
	size_t count;
	if (crew != NULL) {
		crew_run(crew, count_files, &count);
		if (count != crew_files)
			scenario_fail("%zu files are still open in the crew's thread, wanted %zu", count, crew_files);
	}
	crew_stop(crew);
}

/* ---- a running house ---- */

struct instant now_of(const struct ledger *ledger)
{
	return (struct instant){.wall_us = NOON_US + ledger->now_ms * 1000, .mono_ms = START_MONO_MS + ledger->now_ms};
}

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void must_be_one_line(const char *what, const char *line)
{
	if (line[0] == '\0' || strchr(line, '\n') != NULL || strstr(line, "not an error") != NULL ||
	    strstr(line, "Success") != NULL)
		scenario_fail("%s: \"%s\" is no line that tells what is wrong", what, line);
}

static void notices_take(struct house *house)
{
	struct notice notice;
	while (storage_notice(house->storage, &notice)) {
		must_be_one_line("notice", notice.text);
		if (strstr(notice.text, "state file was damaged") != NULL)
			scenario_fail("no file is damaged: %s", notice.text);
		house->ledger->damaged = house->ledger->damaged || strstr(notice.text, "The journal is damaged") != NULL;
		if (++house->notices > NOTICES_MOST)
			scenario_fail("too many lines in the log; the last one: %s", notice.text);
	}
}

void house_settle(struct house *house)
{
	int64_t until = monotonic_ms() + SETTLE_MS;
	unsigned before = house->notices;
	while (storage_queue(house->storage) > 0 && house->notices == before && monotonic_ms() < until) {
		nanosleep(&(struct timespec){0, 1000000}, NULL);
		notices_take(house);
	}
}

struct restore {
	struct house *house;
	int pass;
};

static void restore_one(void *context, struct slice topic, struct slice payload, struct slice author)
{
	const struct restore *restore = context;
	intake_restore(restore->house->intake, topic, payload, author, restore->pass, now_of(restore->house->ledger));
}

bool house_start(struct house *house, const struct options *options)
{
	struct ledger *ledger = house->ledger;
	ledger->error[0] = '\0';
	house->storage = storage_open(options, ledger->error, sizeof ledger->error);
	if (house->storage == NULL)
		return false;
	house->intake = intake_new(&(struct intake_options){
		.broker = &fake_broker,
		.journal = storage_journal(house->storage),
		.options = options,
		.seed = 1,
		.now = now_of(ledger),
	});
	if (house->intake == NULL) {
		snprintf(ledger->error, sizeof ledger->error, "no memory");
		return false;
	}
	struct restore restore = {.house = house};
	for (; restore.pass < INTAKE_RESTORE_PASSES; restore.pass++)
		storage_each_retained(house->storage, restore_one, &restore);
	return true;
}

void house_end(struct house *house)
{
	if (house->intake != NULL)
		house->ledger->stored += intake_counters(house->intake).stored;
	if (house->storage != NULL) {
		storage_stop(house->storage, DRAIN_MS);
		notices_take(house);
		storage_close(house->storage, 0);
	}
	intake_free(house->intake);
	*house = (struct house){.ledger = house->ledger};
}

/* ---- messages ---- */

/* The text with " for each '; valid until the next call. */
static struct slice quoted(const char *text)
{
	static char copy[8192];
	size_t len = strlen(text);
	if (len >= sizeof copy)
		scenario_fail("a payload of %zu bytes", len);
	memcpy(copy, text, len + 1);
	for (char *at = copy; (at = strchr(at, '\'')) != NULL;)
		*at = '"';
	return (struct slice){copy, len};
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);
	return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

enum verdict house_say(struct house *house, const char *topic, const char *payload)
{
	struct message message = {
		.topic = slice_of(topic), .payload = quoted(payload), .retain = ends_with(topic, "/config")};
	house->ledger->now_ms += STEP_MS;
	intake_tick(house->intake, now_of(house->ledger));
	notices_take(house);
	return intake_message(house->intake, &message, now_of(house->ledger));
}
