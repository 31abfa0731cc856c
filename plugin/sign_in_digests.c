/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_digests: see sign_in_digests.h.
 *
 * Each table is of buckets of eight digests; a digest's own bits say which bucket it belongs to. A new one goes to the
 * front and pushes out the last, so that a bucket is in the order of age and a look-up touches two cache lines. Nobody
 * without the key can aim at a bucket. The tables are zeroed memory that the kernel hands out as it is first written: a
 * small house uses a few pages of it.
 */
#include "sign_in_digests.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 8

struct bucket {
	struct digest digests[WAYS]; /* the latest first; all zero: none */
};

struct sign_in_digests {
	struct bucket *yes, *no;
};

static struct bucket *bucket_in(struct bucket *table, size_t digests_max, struct digest digest)
{
	return &table[digest.halves[0] % (digests_max / WAYS)];
}

static bool holds(const struct bucket *bucket, struct digest digest)
{
	for (size_t i = 0; i < WAYS; i++) {
		if (digest_equal(bucket->digests[i], digest))
			return true;
	}
	return false;
}

struct sign_in_digests *sign_in_digests_new(void)
{
	struct sign_in_digests *digests = calloc(1, sizeof *digests);
	if (!digests)
		return NULL;

	digests->yes = calloc(DIGESTS_YES_MAX / WAYS, sizeof *digests->yes);
	digests->no = calloc(DIGESTS_NO_MAX / WAYS, sizeof *digests->no);
	if (digests->yes && digests->no)
		return digests;
	sign_in_digests_free(digests);
	return NULL;
}

void sign_in_digests_free(struct sign_in_digests *digests)
{
	if (!digests)
		return;
	free(digests->yes);
	free(digests->no);
	free(digests);
}

enum digest_memory sign_in_digests_find(const struct sign_in_digests *digests, struct digest digest)
{
	if (holds(bucket_in(digests->yes, DIGESTS_YES_MAX, digest), digest))
		return DIGEST_YES;
	return holds(bucket_in(digests->no, DIGESTS_NO_MAX, digest), digest) ? DIGEST_NO : DIGEST_UNKNOWN;
}

void sign_in_digests_remember(struct sign_in_digests *digests, struct digest digest, bool yes)
{
	struct bucket *bucket =
		yes ? bucket_in(digests->yes, DIGESTS_YES_MAX, digest) : bucket_in(digests->no, DIGESTS_NO_MAX, digest);

	if (holds(bucket, digest))
		return;
	memmove(&bucket->digests[1], &bucket->digests[0], (WAYS - 1) * sizeof bucket->digests[0]);
	bucket->digests[0] = digest;
}
