/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crash_image: see the header.
 *
 * A file that was removed is followed further until the folder is synced, since it may come back. A sector without
 * states is what `now` says.
 */
#include "crash_image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
#define WORD 8 /* bytes that reach memory at once */

static uint64_t random_state;

void crash_seed(uint64_t seed)
{
	random_state = seed;
}

uint64_t crash_random(uint64_t below)
{
	/* SplitMix64, by Sebastiano Vigna (public domain algorithm). */
	uint64_t mixed = random_state += 0x9E3779B97F4A7C15u;

	mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
	mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
	return (mixed ^ mixed >> 31) % below;
}

/* ---- following a file ---- */

static size_t size_now(const struct crash_file *file)
{
	return file->sizes[file->size_count - 1];
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void push_state(struct crash_sector *sector, const uint8_t bytes[CRASH_SECTOR])
{
	if (sector->count == sector->room) {
		sector->room = sector->room ? 2 * sector->room : 4;
		sector->states = realloc(sector->states, sector->room * sizeof *sector->states);
		assert_non_null(sector->states);
	}
	memcpy(sector->states[sector->count++], bytes, CRASH_SECTOR);
}

/* Sector `index` holds other bytes from now on. */
static void change_sector(struct crash_file *file, size_t index, const uint8_t bytes[CRASH_SECTOR])
{
	uint8_t *now = file->now + index * CRASH_SECTOR;

	if (file->sectors[index].count == 0)
		push_state(&file->sectors[index], now);
	push_state(&file->sectors[index], bytes);
	memcpy(now, bytes, CRASH_SECTOR);
}

/* The file was cut: if that is undone its old end comes back, but the rest of the last page may have been zeroed. */
static void shrink(struct crash_file *file, size_t size)
{
	const size_t page_end = (size + PAGE - 1) / PAGE * PAGE;
	const size_t end = size_now(file);

	for (size_t i = size / CRASH_SECTOR; i * CRASH_SECTOR < end; i++) {
		const size_t at = i * CRASH_SECTOR;
		const size_t kept = size > at ? size - at : 0;
		uint8_t zeroed[CRASH_SECTOR] = {0};

		memcpy(zeroed, file->now + at, kept);
		if (at < page_end)
			change_sector(file, i, zeroed);
		else if (file->sectors[i].count == 0)
			push_state(&file->sectors[i], file->now + at);
	}
	memset(file->now + size, 0, end - size);
}

static void note_size(struct crash_file *file, size_t size)
{
	assert_true(size <= CRASH_FILE_MOST);
	if (size < size_now(file))
		shrink(file, size);
	assert_true(file->size_count < CRASH_SIZES);
	file->sizes[file->size_count++] = size;
}

/* Notes what changed in bytes `from` … `to`. */
static void look_at_file(struct crash_file *file, size_t from, size_t to)
{
	static uint8_t bytes[CRASH_FILE_MOST];
	struct stat facts;

	if (file->file < 0)
		return;
	assert_int_equal(fstat(file->file, &facts), 0);
	if ((size_t)facts.st_size != size_now(file))
		note_size(file, (size_t)facts.st_size);
	from -= from % CRASH_SECTOR;
	to = smaller((to + CRASH_SECTOR - 1) / CRASH_SECTOR * CRASH_SECTOR, size_now(file));
	if (from >= to)
		return;
	assert_int_equal(pread(file->file, bytes, to - from, (off_t)from), to - from);
	memset(bytes + (to - from), 0, (CRASH_SECTOR - to % CRASH_SECTOR) % CRASH_SECTOR);
	if (memcmp(bytes, file->now + from, to - from) == 0)
		return;
	for (size_t at = from; at < to; at += CRASH_SECTOR)
		if (memcmp(bytes + (at - from), file->now + at, CRASH_SECTOR) != 0)
			change_sector(file, at / CRASH_SECTOR, bytes + (at - from));
}

static void file_is_durable(struct crash_file *file)
{
	for (unsigned i = 0; i < CRASH_SECTORS; i++)
		file->sectors[i].count = 0;
	file->sizes[0] = size_now(file);
	file->size_count = 1;
}

static void free_file(struct crash_file *file)
{
	for (unsigned i = 0; i < CRASH_SECTORS; i++)
		free(file->sectors[i].states);
	if (file->file >= 0)
		close(file->file);
	free(file);
}

/* ---- following a folder ---- */

static struct crash_file *add_file(struct crash_disk *disk, const char *name)
{
	struct crash_file *file = calloc(1, sizeof *file);

	assert_non_null(file);
	assert_true(disk->count < CRASH_FILES);
	disk->files[disk->count++] = file;
	snprintf(file->name, sizeof file->name, "%s", name);
	file->file = -1;
	file->size_count = 1;
	return file;
}

static void attach_file(struct crash_disk *disk, struct crash_file *file)
{
	char path[256];
	struct stat facts;

	snprintf(path, sizeof path, "%s/%s", disk->directory, file->name);
	file->file = open(path, O_RDWR | O_CLOEXEC);
	assert_true(file->file >= 0);
	assert_int_equal(fstat(file->file, &facts), 0);
	file->inode = facts.st_ino;
	file->named = true;
}

static void look_for_names(struct crash_disk *disk)
{
	DIR *folder = opendir(disk->directory);

	assert_non_null(folder);
	for (unsigned i = 0; i < disk->count; i++)
		disk->files[i]->named = false;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		struct crash_file *known = NULL;
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lock") == 0)
			continue;
		for (unsigned i = 0; i < disk->count && !known; i++)
			if (disk->files[i]->file >= 0 && disk->files[i]->inode == entry->d_ino)
				known = disk->files[i];
		if (known)
			known->named = true;
		else
			attach_file(disk, add_file(disk, entry->d_name));
	}
	closedir(folder);
}

static void names_are_durable(struct crash_disk *disk)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < disk->count; i++) {
		struct crash_file *file = disk->files[i];
		file->named_durably = file->named;
		if (file->named)
			disk->files[kept++] = file;
		else
			free_file(file);
	}
	disk->count = kept;
}

void crash_disk_open(struct crash_disk *disk, const char *directory, bool follow)
{
	*disk = (struct crash_disk){0};
	snprintf(disk->directory, sizeof disk->directory, "%s", directory);
	if (!follow)
		return;
	crash_disk_look(disk);
	for (unsigned i = 0; i < disk->count; i++)
		file_is_durable(disk->files[i]);
	names_are_durable(disk);
}

void crash_disk_close(struct crash_disk *disk)
{
	for (unsigned i = 0; i < disk->count; i++)
		free_file(disk->files[i]);
	disk->count = 0;
}

void crash_disk_look(struct crash_disk *disk)
{
	look_for_names(disk);
	for (unsigned i = 0; i < disk->count; i++)
		look_at_file(disk->files[i], 0, CRASH_FILE_MOST);
}

void crash_disk_look_at(struct crash_disk *disk, const char *name, size_t from, size_t to)
{
	for (unsigned i = 0; i < disk->count; i++) {
		if (disk->files[i]->named && strcmp(disk->files[i]->name, name) == 0) {
			look_at_file(disk->files[i], from, to);
			return;
		}
	}
	crash_disk_look(disk);
}

void crash_disk_sync(struct crash_disk *disk, int file)
{
	struct stat facts;
	struct stat folder;

	crash_disk_look(disk);
	assert_int_equal(fstat(file, &facts), 0);
	assert_int_equal(stat(disk->directory, &folder), 0);
	if (facts.st_ino == folder.st_ino) {
		names_are_durable(disk);
		return;
	}
	for (unsigned i = 0; i < disk->count; i++)
		if (disk->files[i]->file >= 0 && disk->files[i]->inode == facts.st_ino)
			file_is_durable(disk->files[i]);
}

unsigned crash_disk_changed(const struct crash_disk *disk)
{
	unsigned changed = 0;

	for (unsigned i = 0; i < disk->count; i++)
		for (unsigned n = 0; n < CRASH_SECTORS; n++)
			changed += disk->files[i]->sectors[n].count > 0;
	return changed;
}

/* ---- images ---- */

/* Makes the file of these bytes. */
static void write_file(const char *directory, const char *name, const uint8_t bytes[CRASH_FILE_MOST], size_t whole)
{
	static const uint8_t zeros[CRASH_SECTOR];
	size_t size = whole;
	char path[256];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	assert_int_equal(ftruncate(file, (off_t)size), 0);
	/* Most of a file is zeros at its end. */
	size = (size + CRASH_SECTOR - 1) / CRASH_SECTOR * CRASH_SECTOR;
	while (size > 0 && memcmp(bytes + size - CRASH_SECTOR, zeros, CRASH_SECTOR) == 0)
		size -= CRASH_SECTOR;
	size = smaller(size, whole);
	assert_int_equal(pwrite(file, bytes, size, 0), size);
	close(file);
}

/* A sector caught halfway from one state to the next; the first word that differs is mostly a record's frame. */
static void mix(uint8_t out[CRASH_SECTOR], const uint8_t *older, const uint8_t *newer)
{
	const uint64_t pattern = crash_random(5);
	const size_t split = (size_t)crash_random(CRASH_SECTOR / WORD);
	bool first = true;

	for (size_t at = 0; at < CRASH_SECTOR; at += WORD) {
		if (memcmp(older + at, newer + at, WORD) == 0) {
			memcpy(out + at, newer + at, WORD);
			continue;
		}
		const bool take_newer[] = {first, !first, at / WORD < split, at / WORD >= split, crash_random(2) == 0};
		memcpy(out + at, (take_newer[pattern] ? newer : older) + at, WORD);
		first = false;
	}
}

static void choose_at_random(uint8_t out[CRASH_SECTOR], const struct crash_sector *sector, uint64_t extremes)
{
	unsigned chosen = (unsigned)crash_random(sector->count);

	if (crash_random(100) < extremes)
		chosen = crash_random(2) ? sector->count - 1 : 0;
	else if (chosen + 1 < sector->count && crash_random(2)) {
		mix(out, sector->states[chosen], sector->states[chosen + 1]);
		return;
	}
	memcpy(out, sector->states[chosen], CRASH_SECTOR);
}

static void choose_state(uint8_t out[CRASH_SECTOR], const struct crash_sector *sector, unsigned index,
                         enum crash_choice choice, uint64_t number)
{
	bool newest = false;

	switch (choice) {
	case CRASH_RANDOM:
		choose_at_random(out, sector, number);
		return;
	case CRASH_MASK:
		newest = (number >> index % 64 & 1) != 0;
		break;
	case CRASH_ONE_LOST:
		newest = index != number;
		break;
	case CRASH_ONE_KEPT:
		newest = index == number;
		break;
	}
	memcpy(out, sector->states[newest ? sector->count - 1 : 0], CRASH_SECTOR);
}

static size_t choose_size(const struct crash_file *file)
{
	const unsigned chosen = (unsigned)crash_random(file->size_count);
	const size_t size = file->sizes[chosen];

	if (chosen + 1 < file->size_count && file->sizes[chosen + 1] > size && crash_random(2))
		return size + (size_t)crash_random(file->sizes[chosen + 1] - size);
	return size;
}

/* Two files of one name that may be there: the one removed and the one made in its place. */
static bool is_taken(const struct crash_disk *disk, const bool *there, unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (there[i] && strcmp(disk->files[i]->name, disk->files[index]->name) == 0)
			return true;
	return false;
}

void crash_image_make(const struct crash_disk *disk, const char *directory, enum crash_choice choice, uint64_t number)
{
	static uint8_t bytes[CRASH_FILE_MOST];
	bool there[CRASH_FILES];
	unsigned changed = 0;

	for (unsigned i = 0; i < disk->count; i++) {
		const struct crash_file *file = disk->files[i];
		const size_t size = choose_size(file);

		there[i] = ((file->named && file->named_durably) || crash_random(2)) && !is_taken(disk, there, i);
		memcpy(bytes, file->now, sizeof bytes);
		for (unsigned n = 0; n < CRASH_SECTORS; n++)
			if (file->sectors[n].count > 0)
				choose_state(bytes + (size_t)n * CRASH_SECTOR, &file->sectors[n], changed++, choice, number);
		if (there[i])
			write_file(directory, file->name, bytes, size);
	}
}

void crash_disk_copy(const struct crash_disk *disk, const char *directory, struct crash_disk *copy)
{
	*copy = (struct crash_disk){0};
	snprintf(copy->directory, sizeof copy->directory, "%s", directory);
	for (unsigned i = 0; i < disk->count; i++) {
		const struct crash_file *from = disk->files[i];
		struct crash_file *to = add_file(copy, from->name);

		*to = *from;
		to->file = -1;
		for (unsigned n = 0; n < CRASH_SECTORS; n++) {
			to->sectors[n] = (struct crash_sector){0};
			for (unsigned state = 0; state < from->sectors[n].count; state++)
				push_state(&to->sectors[n], from->sectors[n].states[state]);
		}
		if (!from->named)
			continue;
		write_file(directory, from->name, from->now, size_now(from));
		attach_file(copy, to);
	}
}
