/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crash_image: what a disk may hold when the power fails.
 *
 * A struct crash_disk follows a folder of small files. It is told when to look and what was synced, and remembers all
 * that each file held since then. From that it makes crash images, folders as the next start may find them:
 *
 * - each sector that changed since the file's last sync is in any of its states since then, whatever the others are in,
 *   or halfway between two successive ones, because memory may be written while the disk reads it
 * - a size that changed is as it was at any time since then; a file that was growing may have stopped anywhere
 * - a file made or removed since the folder's last sync is there or not, whatever became of the others
 *
 * Random choices follow from crash_seed alone.
 */
#ifndef TEST_CRASH_IMAGE_H
#define TEST_CRASH_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CRASH_SECTOR    512
#define CRASH_FILE_MOST 65536 /* larger files are not followed */
#define CRASH_SECTORS   (CRASH_FILE_MOST / CRASH_SECTOR)
#define CRASH_SIZES     8
#define CRASH_FILES     64

struct crash_sector {
	uint8_t (*states)[CRASH_SECTOR]; /* since the last sync, oldest first */
	unsigned count;                  /* 0: it did not change */
	unsigned room;
};

struct crash_file {
	char name[32];
	int file;
	ino_t inode;
	bool named;         /* its name is in the folder */
	bool named_durably; /* and was when the folder was last synced */
	unsigned size_count;
	size_t sizes[CRASH_SIZES]; /* since the last sync, oldest first; the last one is its size now */
	uint8_t now[CRASH_FILE_MOST];
	struct crash_sector sectors[CRASH_SECTORS];
};

struct crash_disk {
	char directory[160];
	unsigned count;
	struct crash_file *files[CRASH_FILES];
};

/* Begins the row of random numbers. */
void crash_seed(uint64_t seed);

/* A random number from 0 to below − 1. */
uint64_t crash_random(uint64_t below);

/*
 * Follows a folder from now on; all that is in it is durable. Its file `lock` is passed over, here and below. Without
 * `follow` only its path is kept, for a folder of which no image will be made.
 */
void crash_disk_open(struct crash_disk *disk, const char *directory, bool follow);

/* Stops following; the folder stays. */
void crash_disk_close(struct crash_disk *disk);

/* Notes what changed since the last look. */
void crash_disk_look(struct crash_disk *disk);

/* The same, if nothing changed but bytes `from` … `to` of one file. */
void crash_disk_look_at(struct crash_disk *disk, const char *name, size_t from, size_t to);

/* What a successful fsync or fdatasync of this descriptor makes durable: a file, or the names in the folder. */
void crash_disk_sync(struct crash_disk *disk, int file);

/* How many sectors an image has a choice for. */
unsigned crash_disk_changed(const struct crash_disk *disk);

/* Which state each changed sector is in. */
enum crash_choice {
	CRASH_RANDOM, /* each in a random one; the larger the number (0 … 100), the more often the oldest or the newest */
	CRASH_MASK,   /* sector n in its newest if bit n of the number is set, else in its oldest */
	CRASH_ONE_LOST, /* all in their newest but the sector of this number */
	CRASH_ONE_KEPT  /* all in their oldest but the sector of this number */
};

/* Makes an image in an empty folder. */
void crash_image_make(const struct crash_disk *disk, const char *directory, enum crash_choice choice, uint64_t number);

/*
 * Copies the folder as it is now into an empty one, and what is durable of it: as if the process that worked in it had
 * been killed, and the machine had not.
 */
void crash_disk_copy(const struct crash_disk *disk, const char *directory, struct crash_disk *copy);

#endif
