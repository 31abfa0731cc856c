/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_results: the answers of `bench store` as a table for people and as JSON for programs.
 */
#ifndef BENCH_STORE_RESULTS_H
#define BENCH_STORE_RESULTS_H

#include "machine.h"
#include "store_rate.h"

#include <cjson/cJSON.h>

#define STORE_ANSWERS_MAX 2

/* What was measured with one backend. */
struct store_results {
	const struct store_backend *backend;
	char version[64];
	struct store_answer answers[STORE_ANSWERS_MAX];
	size_t count;
};

/* True if every answer meets the target. */
bool store_results_ok(const struct store_results *results);

void store_results_table(const struct store_results *results, const struct store_setup *setup);

/* What the words in the tables mean, and what they were measured on. */
void store_results_legend(const struct machine *machine);

cJSON *store_results_json(const struct store_results *results);

#endif
