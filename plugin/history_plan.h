/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history_plan: from which source and in what steps a range is answered. Pure.
 */
#ifndef HEARTH_HISTORY_PLAN_H
#define HEARTH_HISTORY_PLAN_H

#include "store.h"

struct history_plan {
	enum store_source source;
	int64_t step_us;        /* a multiple of what the source's rows cover; of readings, of a millisecond */
	struct store_span span; /* its begin is a multiple of step_us, at or before what was asked for */
};

/*
 * At most `buckets` (1 …) buckets of equal width that cover the span, from the coarsest source that is fine enough
 * and still has all of it; where only a coarser one reaches back so far, from that, in wider steps.
 *
 * Of a span, what lies outside the years 0 to 9999 is left out: no reading can have such a time. One bucket that would have
 * 1970 begin in its midst becomes two, for none that begins at a multiple of its width can hold both sides.
 */
struct history_plan history_plan(struct store_span span, unsigned buckets, const struct store_keep *keep);

#endif
