/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage: see storage.h. Functions named …_in_crew run in the crew's thread while the broker's waits.
 */
#include "storage.h"

#include "crew.h"
#include "history.h"
#include "keeper.h"
#include "state.h"
#include "storage_loaded.h"
#include "storage_marker.h"
#include "store.h"
#include "writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NOTICES   64 /* log lines that may wait for the next tick */
#define SAMPLES   4
#define PATH_SIZE 512
#define ERROR_MAX 512

/* Minutes of readings are kept so long; hours for ever. */
#define KEEP_MINUTE_DAYS 30
/* What is stored stays in the journal for so long, as long as there is room. */
#define RESERVE_MS 600000

struct storage {
	const struct options *options;
	const struct store_ops *ops;
	struct store_place place;
	struct crew *crew;
	struct mailbox *keeper_notices, *writer_notices, *gauges;
	struct host *host;
	struct journal *journal;
	struct state *state;
	struct writer *writer;
	struct keeper *keeper;
	struct history *history;
	struct storage_move *move; /* the last one, which may have ended; NULL: there was none */
	struct loaded_lists loaded;
	char *error;
	size_t error_size;
	bool opened;
	bool documents_known; /* all that the state file held were read */
	bool had_accounts;
	bool without_journal; /* nor a writer; nothing changes the state */
	int drain_ms;

	/* The broker's thread's. */
	uint64_t queue_passed;  /* what the writer had passed then */
	int64_t queue_since_us; /* wall clock: the queue was first seen not empty; 0: it is empty */
	uint64_t dropped_told;  /* log lines */
};

static bool fail(struct storage *storage, const char *option, const char *value, const char *what)
{
	snprintf(storage->error, storage->error_size, "%s %s: %s", option, value, what);
	return false;
}

/* The disk refuses what may be allowed and right, so that there is nothing to correct in the options. */
static bool is_of_disk(int reason)
{
	switch (reason) {
	case EROFS:
	case ENOSPC:
	case EDQUOT:
	case EIO:
	case ENODEV:
	case ESTALE:
	case EUCLEAN:
		return true;
	default:
		return false;
	}
}

/* On a disk that is read-only, full, or fails: rules work, and nothing is kept. */
static bool go_without_journal(struct storage *storage, int reason)
{
	bool full = reason == ENOSPC || reason == EDQUOT;
	const char *disk = reason == EROFS ? "read-only file system" : full ? "full disk" : "disk that fails";
	const char *advice = reason == EROFS ? "Mount it for writing" : full ? "Make room on it" : "Look after it";

	storage->journal = journal_open_none();
	if (storage->journal == NULL)
		return fail(storage, "journal", "memory", "there is none");
	storage->without_journal = true;
	notice_post(
		storage->keeper_notices, NOTICE_ERROR,
		"plugin_opt_state_dir %s is on a %s: rules work with the configs that are there, but no reading is stored"
		" and no config is accepted. %s and restart the broker.",
		storage->options->state_dir, disk, advice);
	return true;
}

static bool folder_make(struct storage *storage)
{
	char what[ERROR_MAX];
	const char *path = storage->options->state_dir;
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	if (is_of_disk(errno))
		return go_without_journal(storage, errno);
	snprintf(what, sizeof what, "%s; wanted a folder in one that exists and that the broker's user may write",
	         strerror(errno));
	return fail(storage, "plugin_opt_state_dir", path, what);
}

static bool journal_init(struct storage *storage)
{
	char path[PATH_SIZE], error[ERROR_MAX];
	const char *folder = storage->options->state_dir;
	if (storage->journal != NULL)
		return true;
	snprintf(path, sizeof path, "%s/journal", folder);
	struct journal_options options = {.directory = path, .quota = storage->options->journal_max};
	storage->journal = journal_open(&options, error, sizeof error);
	if (storage->journal == NULL && is_of_disk(errno))
		return go_without_journal(storage, errno);
	if (storage->journal == NULL)
		return fail(storage, "plugin_opt_state_dir", folder, error);
	uint64_t torn = journal_torn(storage->journal);
	if (torn > 0)
		notice_post(storage->keeper_notices, NOTICE_WARNING,
		            "A loss of power tore %llu bytes off the journal's end. What was acknowledged more than %d ms"
		            " (plugin_opt_sync_ms) before is there.",
		            (unsigned long long)torn, storage->options->sync_ms);
	return true;
}

/* Rules that could be read work whatever comes of the others. */
static void loaded_init(struct storage *storage)
{
	struct loaded_lists *loaded = &storage->loaded;
	bool retained = loaded_read_retained(loaded, storage->state);
	bool documents = loaded_read_documents(loaded, storage->state);
	storage->documents_known = documents && !state_lost(storage->state);
	if (!retained || !documents)
		notice_post(
			storage->keeper_notices, NOTICE_ERROR,
			"plugin_opt_state_dir %s: %s. Some configs, switches or accounts may not be in force until the broker"
			" is started again.",
			storage->options->state_dir, state_error(storage->state));
}

static bool state_init(struct storage *storage)
{
	char path[PATH_SIZE], error[ERROR_MAX];
	const char *folder = storage->options->state_dir;
	snprintf(path, sizeof path, "%s/state.db", folder);
	storage->state = state_open(path, error, sizeof error);
	if (storage->state == NULL)
		return fail(storage, "plugin_opt_state_dir", folder, error);
	const char *news = state_news(storage->state);
	if (news != NULL)
		notice_post(storage->keeper_notices, NOTICE_ERROR, "%s", news);
	if (storage->without_journal && state_unread(storage->state)) /* else the keeper says it */
		notice_post(storage->keeper_notices, NOTICE_ERROR, "The state file cannot be used: %s.",
		            state_error(storage->state));
	if (!keeper_catch_up(storage->journal, storage->state, error, sizeof error))
		notice_post(storage->keeper_notices, NOTICE_ERROR,
		            "plugin_opt_state_dir %s: %s. Configs and switches that changed last may not be in force until the"
		            " broker is started again.",
		            folder, error);
	loaded_init(storage);
	return !storage->loaded.no_memory ||
	       fail(storage, "plugin_opt_state_dir", folder, "no memory for its configs and accounts");
}

/* The history store is opened by the threads that use it; here it only has to be one that can work. */
static bool store_check(struct storage *storage)
{
	char error[ERROR_MAX];
	if (storage->ops->check(&storage->place, error, sizeof error) != STORE_NEVER)
		return true;
	/* What a URL holds is not repeated: a password may be in it, in a form that nobody knows. */
	return fail(storage, "plugin_opt_store", storage->ops == &store_mariadb ? "mariadb:…" : storage->options->store,
	            error);
}

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

/* Reading may be another user's. */
static struct store_place place_to_read(const struct storage *storage)
{
	struct store_place place = storage->place;
	if (storage->options->store_reader != NULL) {
		place.user = storage->options->store_reader;
		place.password_file = storage->options->store_reader_password_file;
	}
	return place;
}

static uint64_t durable_position(void *context)
{
	const struct storage *storage = context;
	return storage->writer != NULL ? writer_durable(storage->writer) : 0;
}

static bool threads_start(struct storage *storage)
{
	const struct options *options = storage->options;
	if (!storage->without_journal)
		storage->writer = writer_start(&(struct writer_options){
			.journal = storage->journal,
			.ops = storage->ops,
			.place = storage->place,
			.keep_raw_days = options->keep_raw_days,
			.keep_minute_days = KEEP_MINUTE_DAYS,
			.notices = storage->writer_notices,
		});
	if (storage->writer == NULL && !storage->without_journal)
		return fail(storage, "writer", "thread", "cannot be started");
	storage->keeper = keeper_start(&(struct keeper_options){
		.journal = storage->journal,
		.state = storage->without_journal ? NULL : storage->state,
		.host = storage->host,
		.sync_ms = options->sync_ms,
		.reserve_ms = RESERVE_MS,
		.gauges_every_s = options->gauges_every_s,
		.notices = storage->keeper_notices,
		.gauges = storage->gauges,
		.stored = durable_position,
		.context = storage,
	});
	if (storage->keeper == NULL)
		return fail(storage, "keeper", "thread", "cannot be started");
	storage->history = history_start(&(struct history_options){
		.ops = storage->ops,
		.place = place_to_read(storage),
		.keep_raw_days = options->keep_raw_days,
		.keep_minute_days = KEEP_MINUTE_DAYS,
	});
	return storage->history != NULL || fail(storage, "history", "thread", "cannot be started");
}

/* Documents are accounts, and sessions of accounts. */
static bool marker_init(struct storage *storage)
{
	const char *folder = storage->options->state_dir;
	storage->had_accounts = storage->loaded.documents != NULL || marker_is_set(folder);
	if (storage->loaded.documents != NULL && !marker_set(folder) && !storage->without_journal)
		notice_post(storage->keeper_notices, NOTICE_WARNING,
		            "%s/accounts: %s. Without it a damaged state file would look like one without accounts.", folder,
		            strerror(errno));
	return true;
}

static void open_in_crew(void *context)
{
	struct storage *storage = context;
	storage->opened = folder_make(storage) && journal_init(storage) && state_init(storage) && store_check(storage) &&
	                  marker_init(storage) && threads_start(storage);
}

void storage_run(struct storage *storage, void (*run)(void *context), void *context)
{
	crew_run(storage->crew, run, context);
}

static void close_in_crew(void *context)
{
	struct storage *storage = context;
	storage_move_end(storage->move);
	history_stop(storage->history);
	storage->history = NULL;
	if (storage->keeper != NULL) /* first, since it asks the writer how far it is */
		keeper_stop(storage->keeper);
	if (storage->writer != NULL)
		writer_stop(storage->writer, storage->drain_ms);
	if (storage->journal != NULL)
		journal_close(storage->journal);
	state_close(storage->state);
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
		crew_run(storage->crew, open_in_crew, storage);
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
	crew_run(storage->crew, close_in_crew, storage);
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
		.place = place_to_read(storage),
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
