/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_segment: the journal's folder and one segment file in it. Private to journal*.c.
 *
 * Every system call the journal makes on files is made here, but for the reading in journal_view.c. Functions that return
 * bool leave the reason in errno when they return false.
 */
#ifndef HEARTH_JOURNAL_SEGMENT_H
#define HEARTH_JOURNAL_SEGMENT_H

#include "journal_format.h"

/* Room for a segment's file name. */
#define SEGMENT_NAME_MAX 32

/* A segment file mapped into memory for writing. */
struct mapping {
	uint8_t *bytes; /* NULL: none */
	size_t size;
	int file; /* -1: none */
};

/* Opens a folder, made (0700) if missing. -1: it cannot. */
int folder_open(const char *path);

/*
 * Takes the folder for its own: returns a descriptor that holds it until it is closed. -1: it cannot; errno is
 * EWOULDBLOCK if another process, or another journal of this one, has it.
 */
int folder_lock(int folder);

/* Closes a descriptor without touching errno; -1 is allowed. */
void file_close(int file);

/* Makes the coming and going of files in the folder durable. */
bool folder_sync(int folder);

/* Where the segments in the folder begin, lowest first; the caller frees *begins. Other files are passed over. */
bool folder_list(int folder, uint64_t **begins, size_t *count);

/* Writes the file name of the segment that begins there. Returns name. */
char *segment_name(uint64_t begin, char name[SEGMENT_NAME_MAX]);

/* Makes a segment file of header->span bytes, all of them allotted on the disk, and maps it for writing. */
bool segment_make(int folder, const struct segment_header *header, struct mapping *out);

/* Opens a segment file for reading, to be closed by file_close; -1: it cannot. */
int segment_open(int folder, uint64_t begin, uint64_t *size);

/* Unmaps and closes. The file stays. */
void segment_close(struct mapping *mapping);

/* Makes durable what was written through a mapping. */
bool segment_sync(const struct mapping *mapping);

/*
 * Has bytes of a mapping that nobody changes any more written once again by the next segment_sync. The kernel takes a
 * page for written after it has told the failure once, so that trying again without this would seem to succeed.
 */
bool segment_soil(const struct mapping *mapping, size_t offset, size_t len);

/* Both, for a file that is not mapped. */
bool segment_rewrite(int folder, uint64_t begin, uint64_t from, uint64_t to);

/* False if somebody has removed the file that is mapped. */
bool segment_is_there(const struct mapping *mapping);

/* Cuts a file to a size and makes that durable. */
bool segment_cut(int folder, uint64_t begin, uint64_t size);

/* Removes a file; one that is gone already is no error. */
bool segment_remove(int folder, uint64_t begin);

#endif
