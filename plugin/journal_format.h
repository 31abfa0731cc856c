/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_format: the journal's files byte by byte. Private to journal*.c.
 *
 * A journal is a folder of segment files and a file `lock`. A position counts bytes through all segments; the segment
 * that begins at position B is the file named B in 16 hexadecimal digits + ".journal". B is a multiple of
 * SEGMENT_SIZE_MIN and never 0. Segments never overlap, but there may be gaps between them. All numbers are
 * little-endian.
 *
 * Segment
 *    0   8  "HEARTHJ\n"
 *    8   4  version of this format: 1
 *   12   4  0
 *   16   8  B
 *   24   8  span: positions B … B + span belong to this segment, even if the file was cut shorter
 *   32   8  journal id
 *   40  20  0
 *   60   4  CRC-32C of bytes 0 … 59
 *   64      records, one behind the other
 *
 * Record (the first 8 bytes are its frame), always at a multiple of 8
 *    0   4  CRC-32C of: position (8 bytes), bytes 4 … 7, payload
 *    4   4  type << 24 | length; type 1 … 255, length 0 … JOURNAL_PAYLOAD_MAX
 *    8      payload, then zeros up to a multiple of 8
 *
 * Two frames of type 0 are the journal's own and no records:
 *   seal, length 0xFFFFFF, no payload: ends a segment that another one of the same run follows, unless its records fill
 *         the file to the last byte;
 *   mark, length 16, payload: a position P, and a position E. All that was written before P is safe from a loss of power.
 *         Each segment begins with a mark; that of a run's first segment says so of all earlier ones. Only there E is not
 *         0: it is where the records of the segment before end, of the same run, since a disk that fails may have refused
 *         its seal.
 *
 * A new file is all zeros behind its header, and a record's frame is written last and at once: so after `kill -9` the
 * first frame of zeros is where the written part ends. The next run cuts the last file there (journal_recovery.c).
 * Hence in every segment but the one being written records go on up to the seal, to E or the file's end. What does not, is
 * damage if a mark vouches for the place, and else the end of what a loss of power has left.
 */
#ifndef HEARTH_JOURNAL_FORMAT_H
#define HEARTH_JOURNAL_FORMAT_H

#include "crc32c.h"
#include "journal.h"

#include <endian.h>
#include <string.h>

#define SEGMENT_SIZE_MIN 65536
#define SEGMENT_SIZE_MAX (UINT64_C(1) << 30)
#define SEGMENT_HEADER   64
#define SEGMENT_VERSION  1

#define FRAME_SIZE      8
#define FRAME_SEAL_WORD 0x00FFFFFFu
#define FRAME_MARK_WORD 16u
#define FRAME_MARK_SIZE 24 /* with its payload */

static const uint8_t segment_magic[8] = {'H', 'E', 'A', 'R', 'T', 'H', 'J', '\n'};

struct segment_header {
	uint32_t version;
	uint64_t begin;
	uint64_t span;
	uint64_t journal_id;
};

static inline void put_u32(uint8_t *out, uint32_t number)
{
	number = htole32(number);
	memcpy(out, &number, sizeof number);
}

static inline void put_u64(uint8_t *out, uint64_t number)
{
	number = htole64(number);
	memcpy(out, &number, sizeof number);
}

static inline uint32_t get_u32(const uint8_t *in)
{
	uint32_t number;
	memcpy(&number, in, sizeof number);
	return le32toh(number);
}

static inline uint64_t get_u64(const uint8_t *in)
{
	uint64_t number;
	memcpy(&number, in, sizeof number);
	return le64toh(number);
}

static inline void segment_header_put(uint8_t out[SEGMENT_HEADER], const struct segment_header *header)
{
	memset(out, 0, SEGMENT_HEADER);
	memcpy(out, segment_magic, sizeof segment_magic);
	put_u32(out + 8, header->version);
	put_u64(out + 16, header->begin);
	put_u64(out + 24, header->span);
	put_u64(out + 32, header->journal_id);
	put_u32(out + 60, crc32c(0, out, 60));
}

/* False if these bytes are not the header of a segment that begins at `begin`. The version is not judged. */
static inline bool segment_header_get(const uint8_t *bytes, size_t size, uint64_t begin, struct segment_header *out)
{
	if (size < SEGMENT_HEADER || memcmp(bytes, segment_magic, sizeof segment_magic) != 0 ||
	    get_u32(bytes + 60) != crc32c(0, bytes, 60))
		return false;
	out->version = get_u32(bytes + 8);
	out->begin = get_u64(bytes + 16);
	out->span = get_u64(bytes + 24);
	out->journal_id = get_u64(bytes + 32);
	return out->begin == begin && out->span >= SEGMENT_HEADER && out->span <= SEGMENT_SIZE_MAX;
}

/* No position comes near what 64 bits hold, so that sums never overflow. */
#define POSITION_MAX (INT64_MAX / 2)

/* The position is part of the CRC, so that a record which stands where it was not written never passes for one. */
static inline uint32_t frame_crc(uint64_t position, uint32_t word, const void *payload, size_t len)
{
	uint8_t front[12];

	put_u64(front, position);
	put_u32(front + 8, word);
	return crc32c(crc32c(0, front, sizeof front), payload, len);
}

/* The first 8 bytes of a record as they lie in memory, to be stored at once. */
static inline uint64_t frame_front(uint32_t crc, uint32_t word)
{
	return htole64((uint64_t)word << 32 | crc);
}

/* The bytes that a frame of this word says it takes; no promise that they make sense. */
static inline size_t frame_span(uint32_t word)
{
	return word == FRAME_SEAL_WORD ? FRAME_SIZE : journal_record_size(word & 0xFFFFFF);
}

enum frame_state {
	FRAME_RECORD,
	FRAME_MARK,
	FRAME_LAST, /* the segment ends here: a seal, or no room for a record */
	FRAME_BAD   /* neither */
};

/*
 * What the bytes at `position` of the segment that begins at `segment` are, of which there are `room` up to the segment's
 * end. Only the first frame_span of them (at most `room`) need be there to be read. A record and a mark fill in *out; its
 * payload points into the bytes.
 */
static inline enum frame_state frame_check(const uint8_t *bytes, size_t room, uint64_t position, uint64_t segment,
                                           struct journal_record *out)
{
	if (room < FRAME_SIZE)
		return FRAME_LAST;

	const uint32_t crc = get_u32(bytes);
	const uint32_t word = get_u32(bytes + 4);
	const uint8_t *payload = bytes + FRAME_SIZE;
	const size_t len = word == FRAME_SEAL_WORD ? 0 : word & 0xFFFFFF;

	if (word >> 24 == 0 && word != FRAME_SEAL_WORD && word != FRAME_MARK_WORD)
		return FRAME_BAD;
	if (len > JOURNAL_PAYLOAD_MAX || frame_span(word) > room || crc != frame_crc(position, word, payload, len))
		return FRAME_BAD;
	if (word == FRAME_SEAL_WORD)
		return FRAME_LAST;
	*out = (struct journal_record){
		.position = position,
		.end = position + frame_span(word),
		.segment = segment,
		.payload = payload,
		.len = len,
		.type = (uint8_t)(word >> 24),
	};
	return word == FRAME_MARK_WORD ? FRAME_MARK : FRAME_RECORD;
}

#endif
