/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crc32c: by the processor's own instruction (SSE 4.2 on x86-64, the CRC extension on ARMv8), else by tables.
 *
 * Which one is found out once, when the program or the shared object is loaded and before any of its threads runs; the
 * choice never changes after that. All three give the same result for the same bytes, on any alignment.
 */
#include "crc32c.h"

#include <endian.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#define POLYNOMIAL 0x82F63B78u

/*
 * table[0] steps the CRC over one byte; table[n] over one byte that n zero bytes follow. So eight look-ups, one a
 * table, step it over eight bytes at once ("slicing by 8": Kounavis and Berry, 2005).
 */
static uint32_t table[8][256];

static void table_fill(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ ((crc & 1) ? POLYNOMIAL : 0);
		table[0][byte] = crc;
	}
	for (int n = 1; n < 8; n++)
		for (int byte = 0; byte < 256; byte++)
			table[n][byte] = (table[n - 1][byte] >> 8) ^ table[0][table[n - 1][byte] & 0xFF];
}

uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t word;

	crc = ~crc;
	for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
		memcpy(&word, at, sizeof word);
		word = le64toh(word) ^ crc;
		crc = 0;
		for (int n = 0; n < 8; n++)
			crc ^= table[7 - n][(word >> (8 * n)) & 0xFF];
	}
	for (; len > 0; at++, len--)
		crc = (crc >> 8) ^ table[0][(crc ^ *at) & 0xFF];
	return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t wide = (uint32_t)~crc;
	uint64_t word;
	uint32_t half;

	for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
		memcpy(&word, at, sizeof word);
		wide = _mm_crc32_u64(wide, word);
	}
	crc = (uint32_t)wide;
	if (len >= sizeof half) {
		memcpy(&half, at, sizeof half);
		crc = _mm_crc32_u32(crc, half);
		at += sizeof half;
		len -= sizeof half;
	}
	for (; len > 0; at++, len--)
		crc = _mm_crc32_u8(crc, *at);
	return ~crc;
}

#elif defined(__aarch64__)

static uint32_t crc32c_armv8(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t word;

	crc = ~crc;
	for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
		memcpy(&word, at, sizeof word);
		__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(le64toh(word)));
	}
	for (; len > 0; at++, len--)
		__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)*at));
	return ~crc;
}

#endif

static uint32_t (*chosen)(uint32_t crc, const void *bytes, size_t len) = crc32c_portable;

__attribute__((constructor)) static void choose(void)
{
	table_fill();
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("sse4.2"))
		chosen = crc32c_sse42;
#elif defined(__aarch64__)
	if (getauxval(AT_HWCAP) & HWCAP_CRC32)
		chosen = crc32c_armv8;
#endif
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
	return chosen(crc, bytes, len);
}
