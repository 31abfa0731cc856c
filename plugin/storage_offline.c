/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_offline: see storage_offline.h.
 *
 * The journal gets no record: documents go into the state file, with the journal's head as its position, so that the next
 * start takes in nothing that is older than they are.
 */
#include "storage_offline.h"

#include "journal.h"
#include "keeper.h"
#include "state.h"
#include "storage_marker.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Nothing is appended: the smallest there is. */
#define SEGMENT_SIZE 65536
#define QUOTA        (4 * SEGMENT_SIZE)

struct offline {
	struct journal *journal;
	struct state *state;
	gid_t *groups; /* what root had before; NULL: nothing was given up */
	int group_count;
	gid_t group;
	char parent[PATH_MAX];
	char folder[PATH_MAX]; /* absolute */
};

/* ---- the folder, and whose it is ---- */

/* The folder itself need not be there yet. */
static bool find_folder(struct offline *offline, const char *state_dir, char *error, size_t error_size)
{
	char copy[PATH_MAX], again[PATH_MAX];

	int len = snprintf(copy, sizeof copy, "%s", state_dir);
	if (len <= 0 || len >= (int)sizeof copy) {
		snprintf(error, error_size, "\"%.100s\": wanted the path of a folder", state_dir);
		return false;
	}
	memcpy(again, copy, sizeof again);
	if (realpath(dirname(copy), offline->parent) == NULL) {
		snprintf(error, error_size, "%s: %m; wanted a folder in one that exists", state_dir);
		return false;
	}
	len = snprintf(offline->folder, sizeof offline->folder, "%s/%s", offline->parent, basename(again));
	if (len < (int)sizeof offline->folder)
		return true;
	snprintf(error, error_size, "%.100s…: its path is too long", state_dir);
	return false;
}

/* A link belongs to who made it: else it would lead root's rights to a folder that is not the maker's. Root's own are fine. */
static bool find_owner(const char *path, struct stat *owner)
{
	if (lstat(path, owner) != 0)
		return false;
	return !S_ISLNK(owner->st_mode) || owner->st_uid != 0 || stat(path, owner) == 0;
}

static void regain_rights(struct offline *offline)
{
	if (offline->groups == NULL)
		return;
	/* The user first: only root may change the rest. None of these is refused to who was root. */
	if (seteuid(0) == 0 && setegid(offline->group) == 0)
		(void)setgroups((size_t)offline->group_count, offline->groups);
	free(offline->groups);
	offline->groups = NULL;
}

/* Root goes on as the folder's owner. */
static bool take_owners_rights(struct offline *offline, char *error, size_t error_size)
{
	struct stat owner;

	if (!find_owner(offline->folder, &owner) && !find_owner(offline->parent, &owner)) {
		snprintf(error, error_size, "%s: %m", offline->parent);
		return false;
	}
	if (geteuid() != 0 || owner.st_uid == 0)
		return true;
	offline->group = getegid();
	offline->group_count = getgroups(0, NULL);
	offline->groups = calloc((size_t)offline->group_count + 1, sizeof *offline->groups);
	if (offline->groups == NULL) {
		snprintf(error, error_size, "%s: no memory", offline->folder);
		return false;
	}
	if (getgroups(offline->group_count, offline->groups) == offline->group_count && setgroups(1, &owner.st_gid) == 0 &&
	    setegid(owner.st_gid) == 0 && seteuid(owner.st_uid) == 0)
		return true;
	snprintf(error, error_size, "%s: its owner's rights (user %u) cannot be taken: %m", offline->folder,
	         (unsigned)owner.st_uid);
	return false;
}

/* ---- what is in it ---- */

static bool open_journal(struct offline *offline, char *error, size_t error_size)
{
	char path[PATH_MAX + 16];

	if (mkdir(offline->folder, 0700) != 0 && errno != EEXIST) {
		snprintf(error, error_size, "%s: cannot be made: %m", offline->folder);
		return false;
	}
	snprintf(path, sizeof path, "%s/journal", offline->folder);
	offline->journal = journal_open(
		&(struct journal_options){.directory = path, .quota = QUOTA, .segment_size = SEGMENT_SIZE}, error, error_size);
	if (offline->journal == NULL && errno == EWOULDBLOCK)
		snprintf(error, error_size, "%s: a broker runs with this folder: stop it first", offline->folder);
	return offline->journal != NULL;
}

static bool open_state(struct offline *offline, char *error, size_t error_size)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof path, "%s/state.db", offline->folder);
	offline->state = state_open(path, error, error_size);
	if (offline->state == NULL)
		return false;
	const char *news = state_news(offline->state);
	if (news != NULL) { /* it was damaged: somebody has to know, and may then call again */
		snprintf(error, error_size, "%s", news);
		return false;
	}
	if (!keeper_catch_up(offline->journal, offline->state, error, error_size))
		return false;
	if (state_saved(offline->state))
		return true;
	snprintf(error, error_size, "%s", state_error(offline->state));
	return false;
}

bool offline_open(const char *state_dir, struct offline **out, char *error, size_t error_size)
{
	struct offline *offline = calloc(1, sizeof *offline);

	*out = NULL;
	if (offline == NULL) {
		snprintf(error, error_size, "%s: no memory", state_dir);
		return false;
	}
	if (find_folder(offline, state_dir, error, error_size) && take_owners_rights(offline, error, error_size) &&
	    open_journal(offline, error, error_size) && open_state(offline, error, error_size)) {
		*out = offline;
		return true;
	}
	offline_close(offline);
	return false;
}

void offline_close(struct offline *offline)
{
	if (offline == NULL)
		return;
	state_close(offline->state);
	if (offline->journal != NULL)
		journal_close(offline->journal);
	regain_rights(offline);
	free(offline);
}

/* ---- documents ---- */

struct visit {
	document_callback callback;
	void *context;
};

static void visit_document(void *context, const struct document *document, int64_t time_us)
{
	const struct visit *visit = context;
	(void)time_us;
	visit->callback(visit->context, document);
}

bool offline_each_document(struct offline *offline, document_callback callback, void *context, char *error,
                           size_t error_size)
{
	struct visit visit = {callback, context};

	if (state_each_document(offline->state, visit_document, &visit))
		return true;
	snprintf(error, error_size, "%s", state_error(offline->state));
	return false;
}

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool put_all(const struct offline *offline, const struct document *documents, size_t count)
{
	const int64_t time_us = now_us();

	if (!state_begin(offline->state))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!state_put_document(offline->state, &documents[i], time_us))
			return false;
	}
	return state_commit(offline->state, journal_id(offline->journal), journal_head(offline->journal));
}

bool offline_put_documents(struct offline *offline, const struct document *documents, size_t count, char *error,
                           size_t error_size)
{
	/* What is only in memory is gone at the end. */
	if (!put_all(offline, documents, count) || !state_saved(offline->state)) {
		snprintf(error, error_size, "%s", state_error(offline->state));
		return false;
	}
	if (marker_set(offline->folder))
		return true;
	snprintf(error, error_size, "%s/accounts: cannot be made: %m", offline->folder);
	return false;
}
