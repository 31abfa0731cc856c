/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_pure: see acl_pure.h.
 *
 * Names have as many digits with ten accounts as with a hundred thousand, and check n is of the same kind in both, so that
 * nothing differs but how many accounts there are.
 */
#include "acl_pure.h"
#include "account.h"
#include "acl_steps.h"
#include "clock.h"
#include "median.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECKS         131072
#define CHECKS_STEPPED (KINDS * GRANTS) /* each kind with each grant */
#define KINDS          10
#define KIND_RESIDENT  8
#define KIND_SERVICE   9
#define GRANTS         20
#define DOCUMENT_MAX   4096
#define NUMBERS_SEED   UINT64_C(0x243F6A8885A308D3) /* decimals of pi */
#define TABLE_SEED     UINT64_C(0x13198A2E03707344) /* and the next ones */

struct check {
	struct slice user, client_id, topic;
	int right;
	char user_text[24];
	char client_id_text[24];
	char topic_text[48];
};

struct house {
	struct account_table *table;
	struct check *checks;
	size_t count; /* of the checks to be done at once */
	size_t allowed;
};

/* ---- accounts ---- */

static void write_user(int account, char *out, size_t size)
{
	if (account % KINDS == KIND_SERVICE) {
		snprintf(out, size, "service%06d", account);
	} else if (account % KINDS == KIND_RESIDENT) {
		snprintf(out, size, "resident%06d", account);
	} else {
		snprintf(out, size, "home/uno%06d", account);
	}
}

static void write_service(int account, char *out, size_t size)
{
	size_t len =
		(size_t)snprintf(out, size, "{\"username\":\"service%06d\",\"role\":\"service\",\"grants\":[", account);
	for (int grant = 0; grant < GRANTS; grant++) {
		len += (size_t)snprintf(out + len, size - len, "%s{\"allow\":\"read\",\"topic\":\"plant%06d/line%02d/#\"}",
		                        grant > 0 ? "," : "", account, grant);
	}
	snprintf(out + len, size - len, "]}");
}

static void write_document(int account, char *out, size_t size)
{
	if (account % KINDS == KIND_SERVICE) {
		write_service(account, out, size);
	} else if (account % KINDS == KIND_RESIDENT) {
		snprintf(out, size, "{\"username\":\"resident%06d\",\"role\":\"resident\"}", account);
	} else {
		snprintf(out, size,
		         "{\"username\":\"home/uno%06d\",\"role\":\"device\",\"location\":\"home\",\"device\":\"uno%06d\"}",
		         account, account);
	}
}

static bool house_fill(struct house *house, int accounts, struct fault *fault)
{
	char document[DOCUMENT_MAX];
	struct account_error error;
	house->table = account_table_new(TABLE_SEED);
	for (int i = 0; house->table != NULL && i < accounts; i++) {
		write_document(i, document, sizeof(document));
		struct account *account = account_read(slice_of(document), &error);
		if (account == NULL) {
			return fault_set(fault, "account %d: %s: found %s; wanted %s", i, error.path, error.found, error.wanted);
		}
		if (!account_put(house->table, account)) {
			account_free(account);
			return fault_set(fault, "no memory");
		}
	}
	return house->table != NULL || fault_set(fault, "no memory");
}

/* ---- checks ---- */

static uint64_t next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void check_write(struct check *check, size_t number, const struct acl_pure *asked, uint64_t random)
{
	int kind = (int)(number % KINDS);
	int account = (int)(random % (uint64_t)(asked->active / KINDS)) * (asked->accounts / asked->active) * KINDS + kind;
	check->right = RIGHT_READ;
	if (kind == KIND_SERVICE) {
		snprintf(check->topic_text, sizeof(check->topic_text), "plant%06d/line%02d/motor/speed", account,
		         (int)(number / KINDS % GRANTS));
	} else {
		check->right = kind == KIND_RESIDENT ? RIGHT_READ : RIGHT_WRITE;
		snprintf(check->topic_text, sizeof(check->topic_text), "home/uno%06d/temperature/value", account);
	}
	write_user(account, check->user_text, sizeof(check->user_text));
	snprintf(check->client_id_text, sizeof(check->client_id_text), "client%06d", account);
	check->user = slice_of(check->user_text);
	check->client_id = slice_of(check->client_id_text);
	check->topic = slice_of(check->topic_text);
}

static bool house_ask(struct house *house, const struct acl_pure *asked, struct fault *fault)
{
	uint64_t state = NUMBERS_SEED;
	house->checks = calloc(CHECKS, sizeof(*house->checks));
	if (house->checks == NULL) {
		return fault_set(fault, "no memory");
	}
	for (size_t i = 0; i < CHECKS; i++) {
		check_write(&house->checks[i], i, asked, next_number(&state));
	}
	return true;
}

static void do_checks(void *context)
{
	struct house *house = context;
	house->allowed = 0;
	for (size_t i = 0; i < house->count; i++) {
		const struct check *check = &house->checks[i];
		const struct account *account = account_find(house->table, check->user);
		house->allowed +=
			account != NULL && account_may(account, check->right, check->client_id, check->topic, NULL) ? 1 : 0;
	}
}

/* ---- measuring ---- */

static bool measure_time(struct house *house, int runs, struct acl_pure *out, struct fault *fault)
{
	double ns[ACL_PURE_RUNS_MAX];
	house->count = CHECKS;
	for (int run = -1; run < runs; run++) { /* the first one warms up */
		int64_t begin_ns = clock_ns();
		do_checks(house);
		ns[run < 0 ? 0 : run] = (double)(clock_ns() - begin_ns) / CHECKS;
		if (house->allowed != CHECKS) {
			return fault_set(fault, "%zu of %d checks were denied", CHECKS - house->allowed, CHECKS);
		}
	}
	out->ns = median(ns, runs); /* and now they are sorted */
	out->ns_min = ns[0];
	out->ns_max = ns[runs - 1];
	return true;
}

static bool count_instructions(struct house *house, struct acl_pure *out, struct fault *fault)
{
	uint64_t nothing;
	uint64_t all;
	house->count = 0;
	if (!acl_steps_count(do_checks, house, &nothing, fault)) {
		return false;
	}
	house->count = CHECKS_STEPPED;
	if (!acl_steps_count(do_checks, house, &all, fault)) {
		return false;
	}
	out->instructions = (double)(all - nothing) / CHECKS_STEPPED;
	return true;
}

bool acl_pure_measure(int accounts, int active, int runs, struct acl_pure *out, struct fault *fault)
{
	struct house house = {0};
	*out = (struct acl_pure){.accounts = accounts, .active = active};
	bool done = house_fill(&house, accounts, fault) && house_ask(&house, out, fault) &&
	            measure_time(&house, runs, out, fault) && count_instructions(&house, out, fault);
	account_table_free(house.table);
	free(house.checks);
	return done;
}
