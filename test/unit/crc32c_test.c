/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crc32c_test: the published vectors, and that the processor's instruction and the tables always agree.
 */
#include "crc32c.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef uint32_t crc_function(uint32_t crc, const void *bytes, size_t len);

static crc_function *const functions[] = {crc32c, crc32c_portable};
#define FUNCTIONS (sizeof functions / sizeof *functions)

static uint64_t chance(void)
{
	static uint64_t state = 42;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 24;
}

/* RFC 3720 appendix B.4, and the check value of the catalogues. */
static void published_vectors(void **state)
{
	(void)state;
	uint8_t zeros[32] = {0};
	uint8_t ones[32];
	uint8_t up[32];
	uint8_t down[32];
	static const uint8_t read_command[48] = {0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
	                                         0x14, 0,    0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
	                                         0x28, 0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0};

	memset(ones, 0xFF, sizeof ones);
	for (uint8_t i = 0; i < 32; i++) {
		up[i] = i;
		down[i] = (uint8_t)(31 - i);
	}
	const struct {
		const void *bytes;
		size_t len;
		uint32_t crc;
	} vectors[] = {
		{zeros, sizeof zeros, 0x8A9136AA},
		{ones, sizeof ones, 0x62A8AB43},
		{up, sizeof up, 0x46DD794E},
		{down, sizeof down, 0x113FDB5C},
		{read_command, sizeof read_command, 0xD9963A56},
		{"123456789", 9, 0xE3069283},
		{"", 0, 0},
		{NULL, 0, 0},
	};
	for (size_t f = 0; f < FUNCTIONS; f++)
		for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
			assert_int_equal(functions[f](0, vectors[i].bytes, vectors[i].len), vectors[i].crc);
}

static void both_agree_on_any_bytes(void **state)
{
	(void)state;
	const size_t page = 65536; /* a multiple of every page size */
	uint8_t *bytes = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* The input ends at a page that cannot be read: one byte too far crashes. */
	assert_true(bytes != MAP_FAILED);
	assert_int_equal(mprotect(bytes + page, page, PROT_NONE), 0);
	for (size_t i = 0; i < page; i++)
		bytes[i] = (uint8_t)chance();
	for (unsigned i = 0; i < 50000; i++) {
		const size_t len = (size_t)chance() % (i % 2 ? 80 : 4096);
		const size_t from = i % 3 ? page - len : (size_t)chance() % (page - len);
		const uint32_t crc = (uint32_t)chance();
		assert_int_equal(crc32c(crc, bytes + from, len), crc32c_portable(crc, bytes + from, len));
	}
	munmap(bytes, 2 * page);
}

static void continues_where_it_stopped(void **state)
{
	(void)state;
	uint8_t bytes[200];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)chance();
	for (size_t f = 0; f < FUNCTIONS; f++)
		for (size_t cut = 0; cut <= sizeof bytes; cut++)
			assert_int_equal(functions[f](functions[f](0, bytes, cut), bytes + cut, sizeof bytes - cut),
			                 functions[f](0, bytes, sizeof bytes));
}

/* Whatever a CRC misses, one flipped bit it never does. */
static void every_flipped_bit_shows(void **state)
{
	(void)state;
	uint8_t bytes[256];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)chance();
	for (size_t f = 0; f < FUNCTIONS; f++) {
		const uint32_t crc = functions[f](0, bytes, sizeof bytes);
		for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_not_equal(functions[f](0, bytes, sizeof bytes), crc);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(both_agree_on_any_bytes),
		cmocka_unit_test(continues_where_it_stopped),
		cmocka_unit_test(every_flipped_bit_shows),
	};
	return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
