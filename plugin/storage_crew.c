/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage: how files and threads are begun and ended, in the crew's thread; see storage.h.
 */
#include "storage_internal.h"
#include "storage_marker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 512
#define ERROR_MAX 512

/* Minutes of readings are kept so long; hours for ever. */
#define KEEP_MINUTE_DAYS 30
/* What is stored stays in the journal for so long, as long as there is room. */
#define RESERVE_MS 600000

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

struct store_place storage_place_to_read(const struct storage *storage)
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
		.place = storage_place_to_read(storage),
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

void storage_open_in_crew(void *context)
{
	struct storage *storage = context;
	storage->opened = folder_make(storage) && journal_init(storage) && state_init(storage) && store_check(storage) &&
	                  marker_init(storage) && threads_start(storage);
}

void storage_close_in_crew(void *context)
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
