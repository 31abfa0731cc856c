/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * seam_vfs: what SQLite itself asks of the system, by the hooks that it has for tests: the system calls of its unix VFS,
 * its allocator, and, since a file's sync is not among the calls, a VFS that is the unix one with another xSync.
 */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* ---- system calls ---- */

static int sys_open(const char *path, int flags, int mode)
{
	return fault_strikes_errno(FAULT_VFS_OPEN) ? -1 : open(path, flags, (mode_t)mode);
}

static ssize_t sys_read(int file, void *bytes, size_t size)
{
	return fault_strikes_errno(FAULT_VFS_READ) ? -1 : read(file, bytes, size);
}

static ssize_t sys_pread(int file, void *bytes, size_t size, off_t from)
{
	return fault_strikes_errno(FAULT_VFS_READ) ? -1 : pread(file, bytes, size, from);
}

static ssize_t sys_write(int file, const void *bytes, size_t size)
{
	if (fault_strikes_errno(FAULT_VFS_WRITE))
		return -1;
	return write(file, bytes, fault_strikes_errno(FAULT_VFS_SHORT_WRITE) ? size / 2 : size);
}

static ssize_t sys_pwrite(int file, const void *bytes, size_t size, off_t at)
{
	if (fault_strikes_errno(FAULT_VFS_WRITE))
		return -1;
	return pwrite(file, bytes, fault_strikes_errno(FAULT_VFS_SHORT_WRITE) ? size / 2 : size, at);
}

static int sys_ftruncate(int file, off_t size)
{
	return fault_strikes_errno(FAULT_VFS_TRUNCATE) ? -1 : ftruncate(file, size);
}

static int sys_fallocate(int file, off_t from, off_t size)
{
	int code = fault_strikes(FAULT_VFS_FALLOCATE);
	return code != 0 ? code : posix_fallocate(file, from, size);
}

static void *sys_mmap(void *address, size_t size, int protection, int flags, int file, off_t from)
{
	return fault_strikes_errno(FAULT_VFS_MMAP) ? MAP_FAILED : mmap(address, size, protection, flags, file, from);
}

static int sys_unlink(const char *path)
{
	return fault_strikes_errno(FAULT_VFS_UNLINK) ? -1 : unlink(path);
}

static int sys_stat(const char *path, struct stat *out)
{
	return fault_strikes_errno(FAULT_VFS_STAT) ? -1 : stat(path, out);
}

static int sys_lstat(const char *path, struct stat *out)
{
	return fault_strikes_errno(FAULT_VFS_STAT) ? -1 : lstat(path, out);
}

static int sys_fstat(int file, struct stat *out)
{
	return fault_strikes_errno(FAULT_VFS_STAT) ? -1 : fstat(file, out);
}

static int sys_fchmod(int file, mode_t mode)
{
	return fault_strikes_errno(FAULT_VFS_CHMOD) ? -1 : fchmod(file, mode);
}

/* Letting a lock go does not fail. */
static int sys_fcntl(int file, int command, ...)
{
	va_list arguments;
	va_start(arguments, command);
	if (command == F_SETLK || command == F_GETLK) {
		struct flock *lock = va_arg(arguments, struct flock *);
		va_end(arguments);
		if (lock->l_type != F_UNLCK && fault_strikes_errno(FAULT_VFS_LOCK))
			return -1;
		return fcntl(file, command, lock);
	}
	int number = va_arg(arguments, int);
	va_end(arguments);
	return fcntl(file, command, number);
}

/* The names are those of SQLite's table; which of a pair it uses depends on how it was built. */
static const struct {
	const char *name;
	sqlite3_syscall_ptr call;
} calls[] = {
	{"open", (sqlite3_syscall_ptr)sys_open},           {"read", (sqlite3_syscall_ptr)sys_read},
	{"pread", (sqlite3_syscall_ptr)sys_pread},         {"pread64", (sqlite3_syscall_ptr)sys_pread},
	{"write", (sqlite3_syscall_ptr)sys_write},         {"pwrite", (sqlite3_syscall_ptr)sys_pwrite},
	{"pwrite64", (sqlite3_syscall_ptr)sys_pwrite},     {"ftruncate", (sqlite3_syscall_ptr)sys_ftruncate},
	{"fallocate", (sqlite3_syscall_ptr)sys_fallocate}, {"mmap", (sqlite3_syscall_ptr)sys_mmap},
	{"unlink", (sqlite3_syscall_ptr)sys_unlink},       {"stat", (sqlite3_syscall_ptr)sys_stat},
	{"lstat", (sqlite3_syscall_ptr)sys_lstat},         {"fstat", (sqlite3_syscall_ptr)sys_fstat},
	{"fchmod", (sqlite3_syscall_ptr)sys_fchmod},       {"fcntl", (sqlite3_syscall_ptr)sys_fcntl},
};

static void calls_install(sqlite3_vfs *vfs)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (vfs->xGetSystemCall(vfs, calls[i].name) != NULL)
			vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call);
	}
}

/* ---- sync ---- */

#define METHODS_MAX 8 /* sets of file methods that the unix VFS has */

static sqlite3_vfs *unix_vfs;
static sqlite3_vfs our_vfs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	sqlite3_io_methods ours;
	const sqlite3_io_methods *theirs;
} methods[METHODS_MAX];

static int file_sync(sqlite3_file *file, int flags)
{
	int code = fault_strikes(FAULT_VFS_SYNC);
	if (code != 0)
		return code;
	for (size_t i = 0; i < METHODS_MAX; i++) {
		if (file->pMethods == &methods[i].ours)
			return methods[i].theirs->xSync(file, flags);
	}
	return SQLITE_MISUSE;
}

/* The same methods, but for xSync. */
static const sqlite3_io_methods *methods_ours(const sqlite3_io_methods *theirs)
{
	size_t i = 0;
	pthread_mutex_lock(&lock);
	while (i < METHODS_MAX - 1 && methods[i].theirs != NULL && methods[i].theirs != theirs)
		i++;
	if (methods[i].theirs == NULL) {
		methods[i].ours = *theirs;
		methods[i].ours.xSync = file_sync;
		methods[i].theirs = theirs;
	}
	pthread_mutex_unlock(&lock);
	return methods[i].theirs == theirs ? &methods[i].ours : theirs;
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *got)
{
	(void)vfs;
	int code = unix_vfs->xOpen(unix_vfs, path, file, flags, got);
	if (code == SQLITE_OK && file->pMethods != NULL)
		file->pMethods = methods_ours(file->pMethods);
	return code;
}

/* ---- memory ---- */

static sqlite3_mem_methods memory;

static void *memory_get(int size)
{
	return fault_strikes(FAULT_VFS_MEMORY) != 0 ? NULL : memory.xMalloc(size);
}

static void *memory_resize(void *bytes, int size)
{
	return fault_strikes(FAULT_VFS_MEMORY) != 0 ? NULL : memory.xRealloc(bytes, size);
}

bool seam_vfs_install(void)
{
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory) != SQLITE_OK)
		return false;
	sqlite3_mem_methods ours = memory;
	ours.xMalloc = memory_get;
	ours.xRealloc = memory_resize;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK || sqlite3_initialize() != SQLITE_OK)
		return false;
	unix_vfs = sqlite3_vfs_find(NULL);
	calls_install(unix_vfs);
	our_vfs = *unix_vfs;
	our_vfs.pNext = NULL;
	our_vfs.zName = "fault";
	our_vfs.xOpen = vfs_open;
	return sqlite3_vfs_register(&our_vfs, 1) == SQLITE_OK;
}
