/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_results: the figures of `bench acl`, as a table for people and as JSON for programs.
 */
#ifndef BENCH_ACL_RESULTS_H
#define BENCH_ACL_RESULTS_H

#include "acl_pure.h"
#include "acl_questions.h"

#define ACL_PURE_ROWS_MAX     8
#define ACL_QUESTION_ROWS_MAX 8

#define ACL_NS_TARGET           200.0
#define ACL_TALKING_MAX         1000 /* accounts that are active at a time; the target is for so many */
#define ACL_INSTRUCTIONS_TARGET 1.1
#define ACL_CHECK_TARGET        0.25

struct acl_results {
	const struct machine *machine;
	const struct acl_trial_setup *setup;
	const char *mosquitto_version;
	int pure_count; /* 0: not measured */
	struct acl_pure pure[ACL_PURE_ROWS_MAX];
	int message_count; /* so many of ACL_MESSAGE_QUESTIONS are answered */
	struct acl_rounds messages[ACL_QUESTION_ROWS_MAX];
	int check_count; /* the same of ACL_CHECK_QUESTIONS */
	struct acl_rounds checks[ACL_QUESTION_ROWS_MAX];
};

/* Prints the table. False: a target was missed. */
bool acl_results_table(const struct acl_results *results);

bool acl_results_json(const struct acl_results *results, const char *path, struct fault *fault);

#endif
