/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_internal: what control*.c share: a call of a command, what a command may do with it, and the table's rows.
 *
 * A command is a function that is called until it is done. It looks everything up anew each time, for what it saw may be
 * gone; what it needs to remember is in the call. How much it does at a time is bounded: it says what it cost (control_work),
 * and one that goes through many things stops (CONTROL_MORE) when its share is used up, so that the broker's thread is
 * never held for long. What it took by the clock counts, if that is more.
 */
#ifndef HEARTH_CONTROL_INTERNAL_H
#define HEARTH_CONTROL_INTERNAL_H

#include "control.h"
#include "control_budget.h"
#include "feed.h"

#include <cjson/cJSON.h>

#define CONTROL_ERROR_MAX   640
#define CONTROL_KEYS_MAX    12
#define CONTROL_ANSWER_MAX  ((size_t)8 << 20) /* bytes of all answers to a request */
#define CONTROL_COUNT       1000              /* what a list has if `count` does not say otherwise */
#define CONTROL_COUNT_MAX   10000
#define CONTROL_WORK_LOOK   1  /* to look at one of many; the unit is about a microsecond */
#define CONTROL_WORK_CALL   20 /* a command, whatever it does */
#define CONTROL_WORK_CHANGE 100

struct control {
	struct control_options options;
	struct request *first; /* that wait, in the order they came */
	int64_t slice;         /* work that is left to the request in work */
	uint64_t last_ticket;
	struct budgets budgets;
};

enum control_outcome {
	CONTROL_DONE,
	CONTROL_REFUSED, /* call->error says why */
	CONTROL_MORE,    /* its share of work is used up */
	CONTROL_WAIT     /* for call->ticket; with none, it is called again at the next tick */
};

struct control_command;

/* A command on its way. What stands behind `ticking` is for it to remember from one time to the next. */
struct control_call {
	struct control *control;
	const struct control_command *command;
	const cJSON *keys;            /* the command's object */
	const struct account *caller; /* NULL once accounts have changed */
	struct slice client_id;       /* of who asks; NUL-terminated */
	struct instant now;
	bool ticking; /* not inside a message's callback: connections may be dropped */
	bool asked;   /* a thread was asked, and call->ticket is or was the question */
	bool arrived; /* its answer is there */
	bool ok;      /* HASHER_MAKE: made */
	bool starved; /* there was no memory for a part of the answer */
	int phase;
	size_t at, passed; /* in a list; how many were passed over for `offset` */
	cJSON *data;       /* the answer's; NULL: none */
	cJSON *notes;      /* anything else; NULL: none */
	uint64_t ticket;   /* what is waited for; 0: nothing */
	uint64_t position; /* success may be told when the journal is on the disk up to here; 0: at once */
	int64_t again_ms;  /* monotonic */
	char *json;        /* the history thread's answer; NULL: it failed, and call->error says why */
	size_t json_len;
	char verified[PASSWORD_TEXT_MAX]; /* the stored form that `oldPassword` was found to be right for; empty: none */
	char made[PASSWORD_TEXT_MAX];
	char error[CONTROL_ERROR_MAX];
};

/* ---- the table ---- */

enum control_type {
	CONTROL_TEXT,
	CONTROL_BOOL,
	CONTROL_WHOLE, /* a whole number from 0 to 2^53 */
	CONTROL_TEXTS,
	CONTROL_LIST,
	CONTROL_TIME,  /* a text or a number */
	CONTROL_CONFIG /* an object or a text */
};

enum { CONTROL_REQUIRED = 1, CONTROL_NULLABLE = 2 };

struct control_key {
	const char *name;
	enum control_type type;
	unsigned flags;
};

struct control_command {
	const char *name;
	const char *help;
	unsigned roles; /* bits 1 << enum role */
	enum control_outcome (*run)(struct control_call *call);
	struct control_key keys[CONTROL_KEYS_MAX]; /* as many as have a name */
};

/* NULL: none is called so. */
const struct control_command *control_find(const char *name);
bool control_may_call(const struct account *caller, const struct control_command *command);

/* Are the keys those of the command, and of their types? Else false with call->error. */
bool control_shape_check(struct control_call *call);
/* Sets call->error for a command that does not exist. */
void control_unknown(struct control_call *call, const char *name);

/* ---- keys: of the command's type, which was checked ---- */

const cJSON *control_key(const struct control_call *call, const char *key);  /* NULL: not given */
struct slice control_text(const struct control_call *call, const char *key); /* ptr NULL: not given */
bool control_flag(const struct control_call *call, const char *key);         /* false if not given */
size_t control_whole(const struct control_call *call, const char *key, size_t fallback);
size_t control_count(const struct control_call *call); /* `count`, with its default and its bound */

/* ---- answers ---- */

enum control_outcome control_refuse(struct control_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "not permitted: " and what would have been. */
enum control_outcome control_forbid(struct control_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A text for an error: what fits of it, shown as it is. For "%.*s". */
#define CONTROL_SHOWN(slice) (int)((slice).len < 100 ? (slice).len : 100), (slice).ptr

/* The answer's object, made when it is first asked for. */
cJSON *control_data(struct control_call *call);
/* Both take the item over, which may be NULL for lack of memory; lack of memory becomes the answer. */
void control_put(struct control_call *call, cJSON *object, const char *key, cJSON *item);
void control_append(struct control_call *call, cJSON *array, cJSON *item);
/* The same in the place of what has this key now. */
void control_replace(struct control_call *call, cJSON *object, const char *key, cJSON *item);
void control_put_text(struct control_call *call, cJSON *object, const char *key, struct slice text);
void control_put_number(struct control_call *call, cJSON *object, const char *key, double number);
/* The array of this name in the answer, made if it is not there. */
cJSON *control_array(struct control_call *call, const char *key);
cJSON *control_text_item(struct slice text); /* NULL: no memory */

/* ---- work ---- */

/* Says what was done, in units of CONTROL_WORK_LOOK. */
void control_work(struct control_call *call, size_t units);
/* Is none of its share left? Then to be called again: CONTROL_MORE. */
bool control_is_tired(const struct control_call *call);

/* ---- rights and changes ---- */

const struct account_table *control_accounts(const struct control_call *call);
bool control_is_admin(const struct control_call *call);
bool control_administrates(const struct control_call *call); /* an administrator, or a manager of any place */
bool control_may_read(const struct control_call *call, struct slice topic);
/* Is it an administrator, or a manager of this location? */
bool control_manages(struct control_call *call, struct slice location);

/* Puts accounts in force, all or none; after it call->caller is NULL. */
enum control_outcome control_change(struct control_call *call, const struct document *documents, size_t count);
/* Success is told when all that was written so far is on the disk. */
void control_durably(struct control_call *call);

/* ---- account documents ---- */

/* The account's document with its hash; NULL with call->error. */
cJSON *control_document(struct control_call *call, struct slice username);
/* Takes a document over and puts it in force. */
enum control_outcome control_store(struct control_call *call, cJSON *document);
/* Would account_read take it? Else false with call->error. */
bool control_document_check(struct control_call *call, const cJSON *document);
/* The text that an account's document is stored under, in `name`. False: it is too long. */
#define CONTROL_NAME_SIZE (sizeof DOCUMENT_ACCOUNT + ACCOUNT_NAME_MAX)
bool control_document_name(struct slice username, char name[CONTROL_NAME_SIZE]);

/* Accounts that are to be put in force together; all zero to begin with. */
struct control_batch {
	struct document *documents;
	size_t count, room;
	size_t bytes; /* of the documents' names and bodies */
	char **texts; /* one for each, with both in it */
};
bool control_batch_add(struct control_batch *batch, struct slice username, struct slice body); /* false: no memory */
bool control_batch_has(const struct control_batch *batch, struct slice username);
void control_batch_free(struct control_batch *batch);

/* CONTROL_DONE once call->made holds the hash of the key `password`, and at once if none is given. */
enum control_outcome control_hash_password(struct control_call *call);

/* ---- devices, configs ---- */

struct control_device {
	struct slice location, device;
};

/* The device that two keys name, which the caller manages, and its user name. False with call->error. What denies a manager
 * the device's configs denies him the device. */
bool control_device_keys(struct control_call *call, const char *location_key, const char *device_key,
                         struct control_device *out, char name[ACCOUNT_NAME_MAX + 1]);
/* Is it this device's account? NULL is none. */
bool control_is_device(const struct account *account, const struct control_device *device);
bool control_is_of_device(const struct topic *topic, const struct control_device *device);

/* Puts a config in force as the author; false with call->error. */
bool control_configure(struct control_call *call, struct slice topic, struct slice payload, struct slice author);

/* The names of the commands that the caller may use, into an array. */
void control_list_commands(struct control_call *call, cJSON *array);

/* ---- the commands ---- */

enum control_outcome control_who_am_i(struct control_call *call);
enum control_outcome control_check_access(struct control_call *call);
enum control_outcome control_list_accounts(struct control_call *call);
enum control_outcome control_get_account(struct control_call *call);
enum control_outcome control_create_account(struct control_call *call);
enum control_outcome control_modify_account(struct control_call *call);
enum control_outcome control_delete_account(struct control_call *call);
enum control_outcome control_set_password(struct control_call *call);
enum control_outcome control_enable_account(struct control_call *call);
enum control_outcome control_disable_account(struct control_call *call);
enum control_outcome control_add_grant(struct control_call *call);
enum control_outcome control_remove_grant(struct control_call *call);
enum control_outcome control_import_passwords(struct control_call *call);
enum control_outcome control_list_sessions(struct control_call *call);
enum control_outcome control_drop_session(struct control_call *call);
enum control_outcome control_forget_session(struct control_call *call);
enum control_outcome control_add_device(struct control_call *call);
enum control_outcome control_list_devices(struct control_call *call);
enum control_outcome control_new_secret(struct control_call *call);
enum control_outcome control_rename_device(struct control_call *call);
enum control_outcome control_remove_device(struct control_call *call);
enum control_outcome control_list_series(struct control_call *call);
enum control_outcome control_get_latest(struct control_call *call);
enum control_outcome control_get_history(struct control_call *call);
enum control_outcome control_list_configs(struct control_call *call);
enum control_outcome control_get_config(struct control_call *call);
enum control_outcome control_set_config(struct control_call *call);
enum control_outcome control_remove_config(struct control_call *call);
enum control_outcome control_get_metrics(struct control_call *call);
enum control_outcome control_get_journal(struct control_call *call);
enum control_outcome control_backup(struct control_call *call);
enum control_outcome control_restore(struct control_call *call);
enum control_outcome control_move_history(struct control_call *call);
enum control_outcome control_get_move(struct control_call *call);
enum control_outcome control_stop_move(struct control_call *call);

#endif
