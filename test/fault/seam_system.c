/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * seam_system: the plugin's calls into the C library and the kernel; see fault.h. A name with two underscores is what the
 * compiler makes of a call where it checks the buffer's size.
 */
#include "fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- memory ---- */

SEAM(void *, malloc, (size_t size))
{
	return fault_strikes_errno(FAULT_MEMORY) ? NULL : malloc(size);
}

SEAM(void *, calloc, (size_t count, size_t size))
{
	return fault_strikes_errno(FAULT_MEMORY) ? NULL : calloc(count, size);
}

SEAM(void *, realloc, (void *memory, size_t size))
{
	return fault_strikes_errno(FAULT_MEMORY) ? NULL : realloc(memory, size);
}

SEAM(void *, aligned_alloc, (size_t alignment, size_t size))
{
	return fault_strikes_errno(FAULT_MEMORY) ? NULL : aligned_alloc(alignment, size);
}

SEAM(char *, strdup, (const char *text))
{
	return fault_strikes_errno(FAULT_MEMORY) ? NULL : strdup(text);
}

SEAM(char *, strndup, (const char *text, size_t len))
{
	return fault_strikes_errno(FAULT_MEMORY) ? NULL : strndup(text, len);
}

/* As glibc does it, *out is anything after a failure. */
static int print_to_memory(char **out, const char *format, va_list arguments)
{
	if (!fault_strikes_errno(FAULT_MEMORY))
		return vasprintf(out, format, arguments);
	memset(out, 0xA5, sizeof *out);
	return -1;
}

SEAM(int, asprintf, (char **out, const char *format, ...))
{
	va_list arguments;
	va_start(arguments, format);
	int len = print_to_memory(out, format, arguments);
	va_end(arguments);
	return len;
}

SEAM(int, __asprintf_chk, (char **out, int flag, const char *format, ...))
{
	va_list arguments;
	(void)flag;
	va_start(arguments, format);
	int len = print_to_memory(out, format, arguments);
	va_end(arguments);
	return len;
}

/* ---- threads, numbers, words ---- */

SEAM(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument))
{
	int code = fault_strikes(FAULT_THREAD);
	return code != 0 ? code : pthread_create(thread, attributes, function, argument);
}

SEAM(ssize_t, getrandom, (void *bytes, size_t size, unsigned flags))
{
	return fault_strikes_errno(FAULT_RANDOM) ? -1 : getrandom(bytes, size, flags);
}

SEAM(locale_t, newlocale, (int mask, const char *name, locale_t base))
{
	return fault_strikes_errno(FAULT_LOCALE) ? (locale_t)0 : newlocale(mask, name, base);
}

/* ---- names in a file system ---- */

/* The mode is there only with O_CREAT, and read in vain else; the kernel passes over it then. */
SEAM(int, open, (const char *path, int flags, ...))
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = (flags & O_CREAT) ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return fault_strikes_errno(FAULT_OPEN) ? -1 : open(path, flags, mode);
}

SEAM(int, openat, (int folder, const char *path, int flags, ...))
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = (flags & O_CREAT) ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return fault_strikes_errno(FAULT_OPEN) ? -1 : openat(folder, path, flags, mode);
}

SEAM(int, __open_2, (const char *path, int flags))
{
	return fault_strikes_errno(FAULT_OPEN) ? -1 : open(path, flags, 0);
}

SEAM(int, __openat_2, (int folder, const char *path, int flags))
{
	return fault_strikes_errno(FAULT_OPEN) ? -1 : openat(folder, path, flags, 0);
}

SEAM(FILE *, fopen, (const char *path, const char *mode))
{
	return fault_strikes_errno(FAULT_FOPEN) ? NULL : fopen(path, mode);
}

SEAM(DIR *, opendir, (const char *path))
{
	return fault_strikes_errno(FAULT_FOLDER) ? NULL : opendir(path);
}

SEAM(DIR *, fdopendir, (int file))
{
	return fault_strikes_errno(FAULT_FOLDER) ? NULL : fdopendir(file);
}

typedef int (*entry_filter)(const struct dirent *entry);
typedef int (*entry_order)(const struct dirent **left, const struct dirent **right);

SEAM(int, scandir, (const char *path, struct dirent ***list, entry_filter filter, entry_order order))
{
	return fault_strikes_errno(FAULT_FOLDER) ? -1 : scandir(path, list, filter, order);
}

SEAM(int, mkdir, (const char *path, mode_t mode))
{
	return fault_strikes_errno(FAULT_MKDIR) ? -1 : mkdir(path, mode);
}

SEAM(int, unlinkat, (int folder, const char *path, int flags))
{
	return fault_strikes_errno(FAULT_UNLINK) ? -1 : unlinkat(folder, path, flags);
}

SEAM(int, unlink, (const char *path))
{
	return fault_strikes_errno(FAULT_UNLINK) ? -1 : unlink(path);
}

SEAM(int, rename, (const char *from, const char *to))
{
	return fault_strikes_errno(FAULT_UNLINK) ? -1 : rename(from, to);
}

SEAM(int, stat, (const char *path, struct stat *out))
{
	return fault_strikes_errno(FAULT_STAT) ? -1 : stat(path, out);
}

SEAM(int, fstat, (int file, struct stat *out))
{
	return fault_strikes_errno(FAULT_STAT) ? -1 : fstat(file, out);
}

SEAM(int, access, (const char *path, int mode))
{
	return fault_strikes_errno(FAULT_STAT) ? -1 : access(path, mode);
}

SEAM(int, fchmod, (int file, mode_t mode))
{
	return fault_strikes_errno(FAULT_CHMOD) ? -1 : fchmod(file, mode);
}

/* ---- a file's bytes ---- */

SEAM(int, flock, (int file, int operation))
{
	return fault_strikes_errno(FAULT_FLOCK) ? -1 : flock(file, operation);
}

SEAM(int, posix_fallocate, (int file, off_t from, off_t size))
{
	int code = fault_strikes(FAULT_FALLOCATE);
	return code != 0 ? code : posix_fallocate(file, from, size);
}

SEAM(int, ftruncate, (int file, off_t size))
{
	return fault_strikes_errno(FAULT_FTRUNCATE) ? -1 : ftruncate(file, size);
}

SEAM(void *, mmap, (void *address, size_t size, int protection, int flags, int file, off_t from))
{
	return fault_strikes_errno(FAULT_MMAP) ? MAP_FAILED : mmap(address, size, protection, flags, file, from);
}

SEAM(int, madvise, (void *address, size_t size, int advice))
{
	return fault_strikes_errno(FAULT_MADVISE) ? -1 : madvise(address, size, advice);
}

SEAM(int, msync, (void *address, size_t size, int flags))
{
	return fault_strikes_errno(FAULT_SYNC) ? -1 : msync(address, size, flags);
}

SEAM(int, fdatasync, (int file))
{
	return fault_strikes_errno(FAULT_SYNC) ? -1 : fdatasync(file);
}

SEAM(int, fsync, (int file))
{
	return fault_strikes_errno(FAULT_SYNC) ? -1 : fsync(file);
}

SEAM(ssize_t, read, (int file, void *bytes, size_t size))
{
	return fault_strikes_errno(FAULT_READ) ? -1 : read(file, bytes, size);
}

SEAM(ssize_t, __read_chk, (int file, void *bytes, size_t size, size_t room))
{
	(void)room;
	return fault_strikes_errno(FAULT_READ) ? -1 : read(file, bytes, size);
}

SEAM(ssize_t, pread, (int file, void *bytes, size_t size, off_t from))
{
	return fault_strikes_errno(FAULT_READ) ? -1 : pread(file, bytes, size, from);
}

SEAM(ssize_t, __pread_chk, (int file, void *bytes, size_t size, off_t from, size_t room))
{
	(void)room;
	return fault_strikes_errno(FAULT_READ) ? -1 : pread(file, bytes, size, from);
}

SEAM(int, statvfs, (const char *path, struct statvfs *out))
{
	return fault_strikes_errno(FAULT_READ) ? -1 : statvfs(path, out);
}

SEAM(ssize_t, write, (int file, const void *bytes, size_t size))
{
	return fault_strikes_errno(FAULT_WRITE) ? -1 : write(file, bytes, size);
}

SEAM(ssize_t, pwrite, (int file, const void *bytes, size_t size, off_t at))
{
	return fault_strikes_errno(FAULT_WRITE) ? -1 : pwrite(file, bytes, size, at);
}
