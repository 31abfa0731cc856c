/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_beside: see store_beside.h.
 */
#include "store_beside.h"
#include "clock.h"
#include "median.h"
#include "progress.h"
#include "wide_table.h"

#define ROUNDS         3
#define SINGLE_SECONDS 3

#define ANALYZE "ANALYZE TABLE reading, reading_minute, reading_hour"
#define BYTES                                                                                                          \
	"SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = DATABASE()"            \
	" AND table_name IN ('reading', 'reading_minute', 'reading_hour')"

static bool insert_without_rollups(const struct store_target *target, const struct bulk_plan *plan, double *rate,
                                   struct fault *fault)
{
	int64_t duration_ns = 1;
	struct bulk_plan bare = *plan;
	bare.without_rollups = true;
	bool done = target->backend->bulk(target, &bare, &duration_ns, fault) && target->backend->empty(target, fault);
	*rate = (double)plan->readings * (double)SECOND_NS / (double)duration_ns;
	return done;
}

/* How much room the tables take that a plan's bulk insert fills. */
static bool weigh(const struct store_target *target, const struct bulk_plan *plan, double *bytes, struct fault *fault)
{
	int64_t duration_ns;
	int64_t size = 0;
	MYSQL *link = database_open(&target->mariadb.database, fault);
	bool done = link != NULL && target->backend->bulk(target, plan, &duration_ns, fault) &&
	            database_run(link, ANALYZE, fault) && database_number(link, BYTES, &size, fault) &&
	            target->backend->empty(target, fault);
	mysql_close(link);
	*bytes = (double)size / (double)plan->readings;
	return done;
}

bool store_beside_measure(const struct store_target *target, const struct bulk_plan *plan, struct store_beside *out,
                          struct fault *fault)
{
	double bare[ROUNDS];
	double wide[ROUNDS];
	bool done = weigh(target, plan, &out->bytes, fault);
	for (int round = 0; done && round < ROUNDS; round++) {
		done = (progress_show("%u series: other designs, round %d", plan->series, round + 1) ||
		        fault_set(fault, "stopped")) &&
		       insert_without_rollups(target, plan, &bare[round], fault) &&
		       wide_table_arrays(&target->mariadb.database, plan, &wide[round], &out->wide_bytes, fault);
	}
	if (!done) {
		return false;
	}
	out->without_rollups = median(bare, ROUNDS);
	out->wide = median(wide, ROUNDS);
	return wide_table_singles(&target->mariadb.database, plan, SINGLE_SECONDS, &out->wide_single, fault);
}
