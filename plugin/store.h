/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store: what a history backend must do, as one struct of functions.
 *
 * Exactly once: the position in the journal up to which rows are stored lives in the same database and moves in the
 * same transaction as the rows, by compare-and-set. Whoever loses the comparison reads the position again.
 *
 * A store that is open is used by one thread at a time. The writer thread has one for writing, the history thread one for
 * reading; each uses only the functions for that.
 */
#ifndef HEARTH_STORE_H
#define HEARTH_STORE_H

#include "value.h"

struct store;

enum store_result {
	STORE_OK,
	STORE_AWAY, /* cannot be reached or is busy: close, wait, open again */
	STORE_MOVED, /* the position was not the expected one, or another transaction was in the way: nothing was stored; read
	                it again */
	STORE_NEVER /* can never work as configured: a directory, no permission, another program's tables, a newer schema */
};

/* Where a store is and how it is entered. All of it outlives the store. */
struct store_place {
	const char *location;      /* what follows "scheme:" */
	const char *node;          /* this broker's name */
	const char *password_file; /* NULL: the environment's HEARTH_STORE_PASSWORD, or none. Read whenever it is opened */
	const char *ca_file;       /* NULL: any TLS or none; else TLS with a certificate that one of these has signed */
	const char *user;          /* NULL: as the location says */
	bool known;                /* it was stored to in this run: if it is empty now, it is not for us to make it anew */
	unsigned attempt;          /* of several hosts, number attempt % hosts is tried first */
};

#define STORE_PASSWORD_VARIABLE "HEARTH_STORE_PASSWORD"

/* Where a journal stands in the store. */
struct store_position {
	uint64_t journal; /* journal_id; 0: nothing was ever stored for this journal, nor for this node */
	uint64_t position;
};

struct store_row {
	int64_t series;  /* as store_ops.series gave it since the last open */
	int64_t time_us; /* microseconds since 1970, UTC */
	int64_t seq;     /* journal position: tells two readings of one instant apart */
	struct value value;
};

struct rollup;

/* Minutes ([0]) and hours ([1]), each in the order of (series, time_us); see store_batch.h. */
struct store_rollups {
	const struct rollup *rows[2];
	size_t counts[2];
};

/* Rows, and the way that the position moves with them. */
struct store_batch {
	const struct store_row *rows;
	size_t count;               /* may be 0 */
	struct store_position from; /* as `position` gave it for the journal of `to` */
	struct store_position to;
	const struct store_rollups *rollups; /* to be stored as they are; NULL: they are reckoned from the rows */
};

/* A device that has another name from here on, and the way that the position moves with that. */
struct store_rename {
	struct slice from_location, from_device;
	struct slice to_location, to_device; /* not both as above */
	struct store_position from;          /* as `position` gave it for the journal of `to` */
	struct store_position to;
};

/* How long what is kept. */
struct store_keep {
	int64_t now_us;
	unsigned raw_days;    /* readings; 0: for ever */
	unsigned minute_days; /* what the readings of a minute come to; 0: for ever */
};

/* Where buckets are read from: the readings, or what was reckoned of them as they came in. */
enum store_source { STORE_RAW, STORE_MINUTE, STORE_HOUR };

struct store_bucket {
	int64_t time_us; /* where it begins */
	double min, avg, max;
	int64_t count; /* readings that are numbers; never 0 */
};

/* What was read lives until the callback returns, which may say false: no more. */
typedef bool (*store_series_callback)(void *context, struct slice topic);
typedef bool (*store_reading_callback)(void *context, struct slice topic, const struct store_row *row); /* series: 0 */
typedef bool (*store_position_callback)(void *context, struct slice node, const struct store_position *position);
typedef bool (*store_bucket_callback)(void *context, const struct store_bucket *bucket);

/* A time span [from_us, to_us). */
struct store_span {
	int64_t from_us, to_us;
};

struct store_ops {
	const char *scheme; /* what plugin_opt_store begins with, such as "sqlite" */

	/*
	 * Before the broker goes on starting: can it ever work? Does not wait for another machine. STORE_NEVER and one line for a
	 * person if not.
	 */
	enum store_result (*check)(const struct store_place *place, char *error, size_t error_size);

	/*
	 * Opens the store for writing and applies missing migrations. The position of a journal that is new takes the place of
	 * the node's last one. On anything but STORE_OK, *out is NULL and error has one line for a person.
	 */
	enum store_result (*open)(const struct store_place *place, struct store **out, char *error, size_t error_size);
	void (*close)(struct store *store); /* NULL is allowed */

	/* One line on what went wrong last. Valid until the next call. */
	const char *(*error)(const struct store *store);

	/* ---- for writing ---- */

	/* Where this journal stands, whatever its node was called then; else where the node's last journal stood. */
	enum store_result (*position)(struct store *store, uint64_t journal, struct store_position *out);

	/*
	 * The store's own id of a series, made if it is new. A new one may be kept no earlier than by the next write: after
	 * anything but STORE_OK from a function, ids have to be asked for again.
	 */
	enum store_result (*series)(struct store *store, const struct topic *topic, int64_t *id);

	/*
	 * Stores a batch, what it adds to each minute and hour, and its position in one transaction. Rows that the store refuses
	 * for what they hold are kept aside, with the reason, in the same transaction, and counted in *rejected; `error`
	 * has the last one's reason then.
	 */
	enum store_result (*write)(struct store *store, const struct store_batch *batch, size_t *rejected);

	/*
	 * Gives all series of a device their new names, which their readings follow, and moves the position, in one transaction.
	 * A series keeps its old name if there is one of the new name already, if that would be too long, or if the store
	 * refuses; those are counted in *kept, and `error` has the reason then. Ids have to be asked for again.
	 */
	enum store_result (*rename)(struct store *store, const struct store_rename *rename, size_t *renamed, size_t *kept);

	/*
	 * Makes durable what was written. A store that already is at COMMIT has nothing to do. `anew`: one has failed since
	 * the last that did not; a disk that is asked once more may say yes to what it has dropped, so it is all handed to it
	 * once more.
	 */
	enum store_result (*sync)(struct store *store, bool anew);

	/*
	 * A short step of upkeep (some 20 ms; one that has partitions to drop may take longer): makes room for what comes and
	 * drops what is too old. *more: call it again soon. One that fails leaves all as it was and may be called again
	 * another time; nothing depends on it but space.
	 */
	enum store_result (*upkeep)(struct store *store, const struct store_keep *keep, bool *more);

	/* ---- for reading: STORE_NEVER means that an answer takes too long, so that less has to be asked for ---- */

	/* Opens the store for reading only: nothing is made or changed. As `open` else. */
	enum store_result (*open_to_read)(const struct store_place *place, struct store **out, char *error,
	                                  size_t error_size);

	/* All series, in the order of their topics' bytes. */
	enum store_result (*list)(struct store *store, store_series_callback callback, void *context);

	/* Where each broker's journal stands. */
	enum store_result (*positions)(struct store *store, store_position_callback callback, void *context);

	/* The newest reading of a series, or (topic NULL) of each. */
	enum store_result (*latest)(struct store *store, const struct topic *topic, store_reading_callback callback,
	                            void *context);

	/* Readings of a series in the order of time, at most `limit`. */
	enum store_result (*readings)(struct store *store, const struct topic *topic, struct store_span span, size_t limit,
	                              store_reading_callback callback, void *context);

	/*
	 * A series in buckets of step_us that begin at its multiples, in the order of time, empty ones left out. step_us has to be
	 * a multiple of what the source's rows cover.
	 */
	enum store_result (*buckets)(struct store *store, const struct topic *topic, enum store_source source,
	                             struct store_span span, int64_t step_us, store_bucket_callback callback,
	                             void *context);
};

#define STORE_MINUTE_US INT64_C(60000000)
#define STORE_HOUR_US   INT64_C(3600000000)

extern const struct store_ops store_sqlite;
extern const struct store_ops store_mariadb;

#endif
