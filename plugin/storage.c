/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage: see storage.h. What runs in the crew's thread is in storage_crew.c.
 */
#include "storage_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTICES 64 /* log lines that may wait for the next tick */
#define SAMPLES 4

static const struct store_ops *store_named(struct slice scheme)
{
	static const struct store_ops *const known[] = {&store_sqlite, &store_mariadb};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (slice_is(scheme, known[i]->scheme))
			return known[i];
	}
	return known[0];
}

static void store_choose(struct storage *storage)
{
	const struct options *options = storage->options;
	const char *colon = strchr(options->store, ':');
	storage->ops = store_named((struct slice){options->store, (size_t)(colon - options->store)});
	storage->place = (struct store_place){
		.location = colon + 1,
		.node = options->node,
		.password_file = options->store_password_file,
		.ca_file = options->store_ca,
	};
}

void storage_run(struct storage *storage, void (*run)(void *context), void *context)
{
	crew_run(storage->crew, run, context);
}

/* What was found on the way, such as a damaged file, is told in the one line that there will be. */
static void error_take_notices(struct storage *storage)
{
	struct notice notice;
	while (storage->keeper_notices != NULL && mailbox_get(storage->keeper_notices, &notice)) {
		size_t len = strlen(storage->error);
		snprintf(storage->error + len, storage->error_size - len, ". %s", notice.text);
	}
}

struct storage *storage_open(const struct options *options, char *error, size_t error_size)
{
	struct storage *storage = calloc(1, sizeof *storage);
	if (storage == NULL) {
		snprintf(error, error_size, "no memory");
		return NULL;
	}
	storage->options = options;
	store_choose(storage);
	storage->error = error;
	storage->error_size = error_size;
	storage->keeper_notices = mailbox_new(sizeof(struct notice), NOTICES);
	storage->writer_notices = mailbox_new(sizeof(struct notice), NOTICES);
	storage->gauges = mailbox_new(sizeof(struct host_sample), SAMPLES);
	storage->host = host_new("", options->state_dir);
	storage->crew = crew_start();
	if (!storage->keeper_notices || !storage->writer_notices || !storage->gauges || !storage->host || !storage->crew)
		snprintf(error, error_size, "no memory or no thread");
	else
		crew_run(storage->crew, storage_open_in_crew, storage);
	if (storage->opened)
		return storage;
	error_take_notices(storage);
	storage_close(storage, 0);
	return NULL;
}

void storage_stop(struct storage *storage, int drain_ms)
{
	if (storage->crew == NULL)
		return;
	storage->drain_ms = drain_ms;
	crew_run(storage->crew, storage_close_in_crew, storage);
	crew_stop(storage->crew);
	storage->crew = NULL;
}

void storage_forget_retained(struct storage *storage)
{
	loaded_forget(&storage->loaded.retained);
}

bool storage_had_accounts(const struct storage *storage)
{
	return storage->had_accounts;
}

void storage_forget_documents(struct storage *storage)
{
	loaded_forget(&storage->loaded.documents);
}

void storage_close(struct storage *storage, int drain_ms)
{
	if (storage == NULL)
		return;
	storage_stop(storage, drain_ms);
	storage_forget_retained(storage);
	storage_forget_documents(storage);
	storage_move_free(storage->move);
	host_free(storage->host);
	mailbox_free(storage->gauges);
	mailbox_free(storage->writer_notices);
	mailbox_free(storage->keeper_notices);
	free(storage);
}

struct journal *storage_journal(struct storage *storage)
{
	return storage->journal;
}

void storage_each_retained(const struct storage *storage, storage_retained_callback callback, void *context)
{
	for (const struct loaded *one = storage->loaded.retained; one != NULL; one = one->next)
		callback(context, loaded_part(one, 0), loaded_part(one, 1), loaded_part(one, 2));
}

bool storage_each_document(const struct storage *storage, document_callback callback, void *context)
{
	for (const struct loaded *one = storage->loaded.documents; one != NULL; one = one->next)
		callback(context, &(const struct document){.name = loaded_part(one, 0), .body = loaded_part(one, 1)});
	return storage->documents_known;
}

bool storage_notice(struct storage *storage, struct notice *out)
{
	if (mailbox_get(storage->keeper_notices, out) || mailbox_get(storage->writer_notices, out) ||
	    storage_move_notice(storage->move, out))
		return true;
	uint64_t dropped = mailbox_dropped(storage->keeper_notices) + mailbox_dropped(storage->writer_notices);
	if (dropped == storage->dropped_told)
		return false;
	out->level = NOTICE_WARNING;
	snprintf(out->text, sizeof out->text,
	         "%llu lines on storage did not fit into the log's queue and are missing here.",
	         (unsigned long long)(dropped - storage->dropped_told));
	storage->dropped_told = dropped;
	return true;
}

bool storage_gauges(struct storage *storage, struct host_sample *out)
{
	return mailbox_get(storage->gauges, out);
}

uint64_t storage_queue(const struct storage *storage)
{
	if (storage->writer == NULL)
		return 0;
	/* The head last: it only grows, so that nothing that the writer has passed lies beyond it. */
	uint64_t from = writer_position(storage->writer), passed = writer_passed(storage->writer);
	uint64_t begin = journal_begin(storage->journal), head = journal_head(storage->journal);
	from = passed > from ? passed : from;
	from = begin > from ? begin : from;
	return head > from ? head - from : 0;
}

double storage_lag_s(struct storage *storage, int64_t now_wall_us)
{
	if (storage_queue(storage) == 0) {
		storage->queue_since_us = 0;
		return 0;
	}
	/* What waits now came after all that the writer has seen since the last call. */
	uint64_t passed = writer_passed(storage->writer);
	if (storage->queue_since_us == 0 || passed > storage->queue_passed)
		storage->queue_since_us = now_wall_us;
	storage->queue_passed = passed;
	int64_t since_us = writer_waiting_since_us(storage->writer);
	if (since_us == 0)
		since_us = storage->queue_since_us;
	return now_wall_us > since_us ? (double)(now_wall_us - since_us) / 1e6 : 0;
}

uint64_t storage_stored(const struct storage *storage)
{
	return storage->writer != NULL ? writer_stored(storage->writer) : 0;
}

uint64_t storage_rejected(const struct storage *storage)
{
	return storage->writer != NULL ? writer_rejected(storage->writer) : 0;
}

struct history *storage_history(struct storage *storage)
{
	return storage->history;
}

/* ---- another store ---- */

bool storage_move_start(struct storage *storage, const char *to_store, const char *to_password_file, const char *to_ca,
                        char *error, size_t error_size)
{
	const struct storage_move_options options = {
		.ops = storage->ops,
		.place = storage_place_to_read(storage),
		.writer = storage->writer,
		.crew = storage->crew,
	};
	const char *why_not = NULL;

	switch (storage_move_state(storage).phase) {
	case MOVE_RUNNING:
		why_not = "the history is being moved already";
		break;
	case MOVE_FINISHED:
		why_not = "the history is moved already: name its new store by plugin_opt_store, and restart the broker";
		break;
	default:
		if (storage->writer == NULL)
			why_not = "nothing is stored for now, since the disk of plugin_opt_state_dir cannot be written";
	}
	if (why_not != NULL) {
		snprintf(error, error_size, "%s", why_not);
		return false;
	}
	storage_move_free(storage->move); /* it has ended */
	storage->move = storage_move_new(&options, to_store, to_password_file, to_ca, error, error_size);
	return storage->move != NULL;
}

struct storage_move_state storage_move_state(const struct storage *storage)
{
	return storage_move_look(storage->move);
}

void storage_move_stop(struct storage *storage)
{
	if (storage->move != NULL)
		storage_move_cancel(storage->move);
}
