/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * latency: see latency.h. Bucket numbers: the position of the value's highest bit, then the 6 bits behind it.
 */
#include "latency.h"

#include <math.h>

#define STEPS (UINT64_C(1) << LATENCY_STEP_BITS)

static unsigned bucket_of(uint64_t ns)
{
	if (ns < STEPS) {
		return (unsigned)ns;
	}
	unsigned shift = 63U - (unsigned)__builtin_clzll(ns) - LATENCY_STEP_BITS;
	return (shift << LATENCY_STEP_BITS) + (unsigned)(ns >> shift);
}

/* The largest value that a bucket holds. */
static int64_t bucket_end(unsigned bucket)
{
	if (bucket < STEPS) {
		return bucket;
	}
	unsigned shift = (bucket >> LATENCY_STEP_BITS) - 1;
	uint64_t steps = bucket - ((uint64_t)shift << LATENCY_STEP_BITS);
	return (int64_t)(((steps + 1) << shift) - 1);
}

void latency_add(struct latency *latency, int64_t ns)
{
	ns = ns < 0 ? 0 : ns;
	latency->max_ns = ns > latency->max_ns ? ns : latency->max_ns;
	latency->count++;
	latency->buckets[bucket_of((uint64_t)(ns < LATENCY_MAX_NS ? ns : LATENCY_MAX_NS))]++;
}

int64_t latency_quantile(const struct latency *latency, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)latency->count);
	uint64_t seen = 0;
	for (unsigned bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
		seen += latency->buckets[bucket];
		if (seen > 0 && seen >= wanted) {
			int64_t end = bucket_end(bucket);
			return end < latency->max_ns ? end : latency->max_ns;
		}
	}
	return latency->max_ns;
}
