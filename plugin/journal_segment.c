/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_segment: see the header. The functions at the top are the only ones that touch the disk, so that a test can
 * stand between them and it.
 */
#include "journal_segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int disk_open(int folder, const char *name, int flags)
{
	return openat(folder, name, flags | O_CLOEXEC, 0600);
}

static bool disk_allot(int file, uint64_t size)
{
	int failed;

	do
		failed = posix_fallocate(file, 0, (off_t)size);
	while (failed == EINTR);
	errno = failed;
	return failed == 0;
}

static bool disk_cut(int file, uint64_t size)
{
	return ftruncate(file, (off_t)size) == 0;
}

static uint8_t *disk_map(int file, size_t size)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	return bytes == MAP_FAILED ? NULL : bytes;
}

static bool disk_write(int file, const void *bytes, size_t len, size_t offset)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t written = pwrite(file, at, len, (off_t)offset);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			errno = written == 0 ? ENOSPC : errno;
			return false;
		}
		at += written;
		offset += (size_t)written;
		len -= (size_t)written;
	}
	return true;
}

static bool disk_sync(int file)
{
	return fdatasync(file) == 0;
}

/* fdatasync need not write the names in a folder. */
static bool disk_sync_folder(int folder)
{
	return fsync(folder) == 0;
}

static bool disk_remove(int folder, const char *name)
{
	return unlinkat(folder, name, 0) == 0 || errno == ENOENT;
}

void file_close(int file)
{
	int reason = errno;

	if (file >= 0)
		close(file);
	errno = reason;
}

int folder_open(const char *path)
{
	bool made = mkdir(path, 0700) == 0;

	if (!made && errno != EEXIST)
		return -1;
	int folder = disk_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	if (folder >= 0 && made) {
		/* We may be allowed to add to the parent and not to read it: then its name gets durable when it gets. */
		int parent = disk_open(folder, "..", O_RDONLY | O_DIRECTORY);
		if (parent >= 0)
			disk_sync_folder(parent);
		file_close(parent);
	}
	return folder;
}

int folder_lock(int folder)
{
	int lock = disk_open(folder, "lock", O_RDWR | O_CREAT);

	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0) {
		file_close(lock);
		return -1;
	}
	return lock;
}

bool folder_sync(int folder)
{
	return disk_sync_folder(folder);
}

char *segment_name(uint64_t begin, char name[SEGMENT_NAME_MAX])
{
	snprintf(name, SEGMENT_NAME_MAX, "%016" PRIx64 ".journal", begin);
	return name;
}

/* Where the segment of this name begins; 0 if it is no segment's name. */
static uint64_t segment_named(const char *name)
{
	char again[SEGMENT_NAME_MAX];
	uint64_t begin = strtoull(name, NULL, 16);

	if (begin % SEGMENT_SIZE_MIN != 0 || begin > POSITION_MAX || strcmp(segment_name(begin, again), name) != 0)
		return 0;
	return begin;
}

static int compare_begins(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

bool folder_list(int folder, uint64_t **begins, size_t *count)
{
	uint64_t *list = NULL;
	size_t used = 0;
	size_t room = 0;
	int reason = 0;

	/* A descriptor of its own: the position in the list of files belongs to the open folder. */
	int again = disk_open(folder, ".", O_RDONLY | O_DIRECTORY);
	DIR *files = again >= 0 ? fdopendir(again) : NULL;
	if (!files) {
		file_close(again);
		return false;
	}

	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(files);
		if (!entry) {
			reason = errno;
			break;
		}
		uint64_t begin = segment_named(entry->d_name);
		if (begin == 0)
			continue;
		if (used == room) {
			room = room ? 2 * room : 64;
			uint64_t *more = realloc(list, room * sizeof *list);
			if (!more) {
				reason = ENOMEM;
				break;
			}
			list = more;
		}
		list[used++] = begin;
	}
	closedir(files);
	if (reason) {
		free(list);
		errno = reason;
		return false;
	}
	if (used > 0)
		qsort(list, used, sizeof *list, compare_begins);
	*begins = list;
	*count = used;
	return true;
}

bool segment_make(int folder, const struct segment_header *header, struct mapping *out)
{
	char name[SEGMENT_NAME_MAX];
	uint8_t front[SEGMENT_HEADER];
	uint8_t *bytes = NULL;
	int reason;

	int file = disk_open(folder, segment_name(header->begin, name), O_RDWR | O_CREAT | O_EXCL);
	if (file < 0)
		return false;
	/* Allotted now, so that a full disk is an error here and none in the thread that appends. */
	segment_header_put(front, header);
	if (disk_allot(file, header->span) && disk_write(file, front, sizeof front, 0))
		bytes = disk_map(file, (size_t)header->span);
	if (bytes) {
		*out = (struct mapping){.bytes = bytes, .size = (size_t)header->span, .file = file};
		return true;
	}
	reason = errno;
	close(file);
	disk_remove(folder, name);
	errno = reason;
	return false;
}

int segment_open(int folder, uint64_t begin, uint64_t *size)
{
	char name[SEGMENT_NAME_MAX];
	struct stat facts;

	int file = disk_open(folder, segment_name(begin, name), O_RDONLY);
	if (file < 0)
		return -1;
	if (fstat(file, &facts) != 0) {
		file_close(file);
		return -1;
	}
	*size = (uint64_t)facts.st_size;
	return file;
}

void segment_close(struct mapping *mapping)
{
	if (mapping->bytes)
		munmap(mapping->bytes, mapping->size);
	file_close(mapping->file);
	*mapping = (struct mapping){.file = -1};
}

bool segment_sync(const struct mapping *mapping)
{
	return disk_sync(mapping->file);
}

bool segment_rewrite(int folder, uint64_t begin, uint64_t from, uint64_t to)
{
	char name[SEGMENT_NAME_MAX];

	int file = disk_open(folder, segment_name(begin, name), O_RDWR);
	if (file < 0)
		return false;
	const struct mapping mapping = {.file = file};
	bool synced = (from >= to || segment_soil(&mapping, from, to - from)) && disk_sync(file);
	file_close(file);
	return synced;
}

bool segment_is_there(const struct mapping *mapping)
{
	struct stat facts;

	if (fstat(mapping->file, &facts) != 0)
		return false;
	errno = ENOENT;
	return facts.st_nlink > 0;
}

bool segment_soil(const struct mapping *mapping, size_t offset, size_t len)
{
	uint8_t chunk[16384];

	/* From the file, not the mapping, where the disk may have refused what stands there (journal_guard.h). */
	while (len > 0) {
		ssize_t got = pread(mapping->file, chunk, len < sizeof chunk ? len : sizeof chunk, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0) /* the file was cut by somebody else */
			return true;
		if (got < 0 || !disk_write(mapping->file, chunk, (size_t)got, offset))
			return false;
		offset += (size_t)got;
		len -= (size_t)got;
	}
	return true;
}

bool segment_cut(int folder, uint64_t begin, uint64_t size)
{
	char name[SEGMENT_NAME_MAX];

	int file = disk_open(folder, segment_name(begin, name), O_RDWR);
	if (file < 0)
		return false;
	bool cut = disk_cut(file, size) && disk_sync(file);
	file_close(file);
	return cut;
}

bool segment_remove(int folder, uint64_t begin)
{
	char name[SEGMENT_NAME_MAX];

	return disk_remove(folder, segment_name(begin, name));
}
