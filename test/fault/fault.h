/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fault: makes the nth call of a kind fail.
 *
 * The plugin's object files are linked to one with `ld -r` and the --wrap lines of wrapped.txt; each call of theirs that
 * can fail for reasons that are not theirs then leads to a function here (seam_….c), which asks whether this is the call
 * to fail. The product itself is linked without any of it. What SQLite does inside goes through its own hooks
 * (seam_vfs.c), what cJSON allocates through its. So calls of a test's own code never count.
 *
 * A call that fails does nothing and gives the code that such a failure has in life. Any thread may call anything at any
 * time; arming and disarming are one thread's.
 */
#ifndef TEST_FAULT_FAULT_H
#define TEST_FAULT_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_kind {
	/* Calls of ours. */
	FAULT_MEMORY, /* malloc, calloc, realloc, aligned_alloc, strdup, strndup, asprintf */
	FAULT_THREAD, /* pthread_create */
	FAULT_RANDOM, /* getrandom */
	FAULT_LOCALE, /* newlocale */
	FAULT_OPEN,   /* open, openat */
	FAULT_FOPEN,
	FAULT_FOLDER, /* opendir, fdopendir, scandir */
	FAULT_MKDIR,
	FAULT_FLOCK,
	FAULT_FALLOCATE, /* posix_fallocate */
	FAULT_FTRUNCATE,
	FAULT_MMAP,
	FAULT_MADVISE,
	FAULT_SYNC, /* fdatasync, fsync, msync */
	FAULT_READ, /* read, pread, statvfs */
	FAULT_WRITE,
	FAULT_UNLINK, /* unlink, unlinkat, rename */
	FAULT_STAT,   /* stat, fstat, access */
	FAULT_CHMOD,  /* fchmod */
	FAULT_CJSON,  /* what cJSON allocates */
	/* Calls of ours into SQLite. */
	FAULT_SQLITE_OPEN,
	FAULT_SQLITE_SETUP, /* busy_timeout, extended_result_codes, table_column_metadata, mprintf */
	FAULT_SQLITE_PREPARE,
	FAULT_SQLITE_BIND,
	FAULT_SQLITE_STEP,
	FAULT_SQLITE_COLUMN, /* column_text, column_blob */
	FAULT_SQLITE_EXEC,
	FAULT_SQLITE_CHECKPOINT,
	/* What SQLite does. */
	FAULT_VFS_MEMORY,
	FAULT_VFS_OPEN,
	FAULT_VFS_READ,
	FAULT_VFS_WRITE,
	FAULT_VFS_SHORT_WRITE, /* half of it is written */
	FAULT_VFS_TRUNCATE,
	FAULT_VFS_FALLOCATE,
	FAULT_VFS_SYNC,
	FAULT_VFS_MMAP,
	FAULT_VFS_UNLINK,
	FAULT_VFS_STAT,
	FAULT_VFS_LOCK,
	FAULT_VFS_CHMOD,
	/* Mosquitto, where there is one: mosquitto_malloc, _broker_publish, _property_add_string_pair, _callback_register. */
	FAULT_BROKER,
	FAULT_KINDS
};

enum fault_mode {
	FAULT_ONCE, /* the nth call alone */
	FAULT_ON    /* the nth and all that follow */
};

/* A kind's name, such as "vfs_write"; fault_named gives FAULT_KINDS if there is none of this name. */
const char *fault_name(enum fault_kind kind);
enum fault_kind fault_named(const char *name);

/* The code that a kind fails with unless the caller says another: an errno or, of SQLite's calls, an SQLITE_… */
int fault_code(enum fault_kind kind, enum fault_mode mode);

/* Puts SQLite's and cJSON's hooks in place; before SQLite is used for the first time. False: it was used already. */
bool fault_install(void);

/* From now on fails the nth call of this kind, from 1. FAULT_KINDS: only counts. `code` 0: the kind's own. */
void fault_arm(enum fault_kind kind, uint64_t nth, enum fault_mode mode, int code);
void fault_disarm(void);

/* From the last fault_arm to fault_disarm: how many calls of a kind there were, and whether one was made to fail. */
uint64_t fault_calls(enum fault_kind kind);
bool fault_fired(void);

/* Whether to say on standard error when the first call fails. */
void fault_announce(bool announce);

/* ---- for the seam ---- */

/* The code to fail with; 0: let the call happen. */
int fault_strikes(enum fault_kind kind);

/* The same for a call that tells by errno, which is set. */
bool fault_strikes_errno(enum fault_kind kind);

/* SQLite's own calls; called once by fault_install. */
bool seam_vfs_install(void);

/* Defines the function that the linker puts in the place of `name`. */
#define SEAM(type, name, parameters)                                                                                   \
	type seam_##name parameters __asm__("__wrap_" #name);                                                              \
	type seam_##name parameters

#endif
