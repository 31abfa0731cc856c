/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fault: see fault.h.
 */
#include "fault.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A single failure is of the sort that passes, one from then on of the sort that stays. */
static const struct {
	const char *name;
	int code[2]; /* by mode */
} kinds[FAULT_KINDS] = {
	[FAULT_MEMORY] = {"memory", {ENOMEM, ENOMEM}},
	[FAULT_THREAD] = {"thread", {EAGAIN, EAGAIN}},
	[FAULT_RANDOM] = {"random", {ENOSYS, ENOSYS}},
	[FAULT_LOCALE] = {"locale", {ENOMEM, ENOMEM}},
	[FAULT_OPEN] = {"open", {EMFILE, EROFS}},
	[FAULT_FOPEN] = {"fopen", {EMFILE, ENOMEM}},
	[FAULT_FOLDER] = {"folder", {EMFILE, ENOMEM}},
	[FAULT_MKDIR] = {"mkdir", {ENOSPC, EROFS}},
	[FAULT_FLOCK] = {"flock", {ENOLCK, EIO}},
	[FAULT_FALLOCATE] = {"fallocate", {EIO, ENOSPC}},
	[FAULT_FTRUNCATE] = {"ftruncate", {EIO, EROFS}},
	[FAULT_MMAP] = {"mmap", {ENOMEM, ENOMEM}},
	[FAULT_MADVISE] = {"madvise", {EAGAIN, EIO}},
	[FAULT_SYNC] = {"sync", {EIO, ENOSPC}},
	[FAULT_READ] = {"read", {EIO, EIO}},
	[FAULT_WRITE] = {"write", {EIO, ENOSPC}},
	[FAULT_UNLINK] = {"unlink", {EIO, EROFS}},
	[FAULT_STAT] = {"stat", {EIO, EACCES}},
	[FAULT_CHMOD] = {"chmod", {EIO, EROFS}},
	[FAULT_CJSON] = {"cjson", {ENOMEM, ENOMEM}},
	[FAULT_SQLITE_OPEN] = {"sqlite_open", {SQLITE_NOMEM, SQLITE_CANTOPEN}},
	[FAULT_SQLITE_SETUP] = {"sqlite_setup", {SQLITE_NOMEM, SQLITE_IOERR_READ}},
	[FAULT_SQLITE_PREPARE] = {"sqlite_prepare", {SQLITE_BUSY, SQLITE_NOMEM}},
	[FAULT_SQLITE_BIND] = {"sqlite_bind", {SQLITE_NOMEM, SQLITE_NOMEM}},
	[FAULT_SQLITE_STEP] = {"sqlite_step", {SQLITE_IOERR_WRITE, SQLITE_FULL}},
	[FAULT_SQLITE_COLUMN] = {"sqlite_column", {SQLITE_NOMEM, SQLITE_NOMEM}},
	[FAULT_SQLITE_EXEC] = {"sqlite_exec", {SQLITE_BUSY, SQLITE_FULL}},
	[FAULT_SQLITE_CHECKPOINT] = {"sqlite_checkpoint", {SQLITE_BUSY, SQLITE_IOERR_FSYNC}},
	[FAULT_VFS_MEMORY] = {"vfs_memory", {ENOMEM, ENOMEM}},
	[FAULT_VFS_OPEN] = {"vfs_open", {EMFILE, EROFS}},
	[FAULT_VFS_READ] = {"vfs_read", {EIO, EIO}},
	[FAULT_VFS_WRITE] = {"vfs_write", {EIO, ENOSPC}},
	[FAULT_VFS_SHORT_WRITE] = {"vfs_short_write", {ENOSPC, ENOSPC}},
	[FAULT_VFS_TRUNCATE] = {"vfs_truncate", {EIO, EROFS}},
	[FAULT_VFS_FALLOCATE] = {"vfs_fallocate", {EIO, ENOSPC}},
	[FAULT_VFS_SYNC] = {"vfs_sync", {SQLITE_IOERR_FSYNC, SQLITE_IOERR_FSYNC}},
	[FAULT_VFS_MMAP] = {"vfs_mmap", {ENOMEM, ENOMEM}},
	[FAULT_VFS_UNLINK] = {"vfs_unlink", {EIO, EROFS}},
	[FAULT_VFS_STAT] = {"vfs_stat", {EIO, EACCES}},
	[FAULT_VFS_LOCK] = {"vfs_lock", {EAGAIN, EIO}},
	[FAULT_VFS_CHMOD] = {"vfs_chmod", {EIO, EROFS}},
	[FAULT_BROKER] = {"broker", {ENOMEM, ENOMEM}},
};

static struct {
	_Atomic bool on;
	_Atomic uint64_t calls[FAULT_KINDS];
	_Atomic bool fired;
	_Atomic bool announce;
	/* Change only while it is off. */
	enum fault_kind kind;
	uint64_t nth;
	enum fault_mode mode;
	int code;
} armed;

const char *fault_name(enum fault_kind kind)
{
	return kinds[kind].name;
}

enum fault_kind fault_named(const char *name)
{
	enum fault_kind kind = 0;
	while (kind < FAULT_KINDS && strcmp(kinds[kind].name, name) != 0)
		kind++;
	return kind;
}

int fault_code(enum fault_kind kind, enum fault_mode mode)
{
	return kinds[kind].code[mode];
}

void fault_arm(enum fault_kind kind, uint64_t nth, enum fault_mode mode, int code)
{
	fault_disarm();
	armed.kind = kind;
	armed.nth = nth;
	armed.mode = mode;
	armed.code = code != 0 || kind == FAULT_KINDS ? code : kinds[kind].code[mode];
	for (size_t i = 0; i < FAULT_KINDS; i++)
		atomic_store(&armed.calls[i], 0);
	atomic_store(&armed.fired, false);
	atomic_store_explicit(&armed.on, true, memory_order_release);
}

void fault_disarm(void)
{
	atomic_store(&armed.on, false);
}

uint64_t fault_calls(enum fault_kind kind)
{
	return atomic_load(&armed.calls[kind]);
}

bool fault_fired(void)
{
	return atomic_load(&armed.fired);
}

void fault_announce(bool announce)
{
	atomic_store(&armed.announce, announce);
}

int fault_strikes(enum fault_kind kind)
{
	if (!atomic_load_explicit(&armed.on, memory_order_acquire))
		return 0;
	uint64_t call = atomic_fetch_add(&armed.calls[kind], 1) + 1;
	if (kind != armed.kind || call < armed.nth || (call > armed.nth && armed.mode == FAULT_ONCE))
		return 0;
	if (!atomic_exchange(&armed.fired, true) && atomic_load(&armed.announce))
		fprintf(stderr, "fault: %s %llu fails with code %d\n", kinds[kind].name, (unsigned long long)call, armed.code);
	return armed.code;
}

bool fault_strikes_errno(enum fault_kind kind)
{
	int code = fault_strikes(kind);
	if (code != 0)
		errno = code;
	return code != 0;
}

static void *cjson_allocate(size_t size)
{
	return fault_strikes(FAULT_CJSON) ? NULL : malloc(size);
}

bool fault_install(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){cjson_allocate, free});
	return seam_vfs_install();
}
