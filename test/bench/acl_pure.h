/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_pure: what a check of rights costs without a broker, with few accounts and with many: account_find and
 * account_may, as access.c calls them.
 *
 * Of ten accounts eight are devices, which publish a value of theirs, one a resident, who receives one, and one a service with
 * 20 grants, which receives what one of them allows. Each check is another account's, in no order.
 */
#ifndef BENCH_ACL_PURE_H
#define BENCH_ACL_PURE_H

#include "fault.h"

struct acl_pure {
	int accounts;
	int active; /* so many of them are checked, spread over all */
	double ns;  /* a check: median of the runs, the best, the worst */
	double ns_min;
	double ns_max;
	double instructions; /* a check */
};

#define ACL_PURE_RUNS_MAX 99

/* Both are multiples of ten, and the first one of the other. */
bool acl_pure_measure(int accounts, int active, int runs, struct acl_pure *out, struct fault *fault);

#endif
