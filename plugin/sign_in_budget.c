/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_budget: see sign_in_budget.h.
 *
 * An account of time is one moment: when all that was spent is paid off. A hash moves it on by what it cost divided by
 * the share, a failure by its waiting time, and a hash is allowed once it has come. Addresses and users are kept in
 * buckets of eight, the latest seen first.
 */
#include "sign_in_budget.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define WAYS         8
#define BUCKETS      (BUDGET_ENTRIES / WAYS)
#define PENALTY_MS   1000
#define PENALTY_MAX  60000
#define FAILURES_MAX 7 /* 64 s, more than PENALTY_MAX */
#define FORGIVEN_MS  30000
#define PRESSURE_MAX 1000000

struct entry {
	uint64_t key;
	int64_t ready_ms;   /* all is paid off */
	int64_t failed_ms;  /* the last failure */
	int64_t pressed_ms; /* the last attempt */
	unsigned failures;  /* until then */
	unsigned pressure;  /* the same */
	bool used;
};

struct bucket {
	struct entry entries[WAYS];
};

struct sign_in_budget {
	unsigned permille; /* of the broker thread's time */
	struct entry whole;
	struct bucket addresses[BUCKETS];
	struct bucket users[BUCKETS];
};

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t min_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- one entry ---- */

static unsigned failures_left(const struct entry *entry, int64_t now_ms)
{
	const int64_t forgiven = (now_ms - entry->failed_ms) / FORGIVEN_MS;

	return (int64_t)entry->failures > forgiven ? entry->failures - (unsigned)forgiven : 0;
}

static void fail(struct entry *entry, int64_t now_ms)
{
	entry->failures = (unsigned)min_of(failures_left(entry, now_ms) + 1, FAILURES_MAX);
	entry->failed_ms = now_ms;
	const int64_t penalty_ms = min_of((int64_t)PENALTY_MS << (entry->failures - 1), PENALTY_MAX);
	entry->ready_ms = max_of(entry->ready_ms, now_ms + penalty_ms);
}

/* How long, in ms, until `us` are that share of the time. */
static int64_t worth_ms(int64_t us, unsigned permille)
{
	return (us + permille - 1) / permille;
}

static void spend(struct entry *entry, int64_t us, unsigned permille, int64_t now_ms)
{
	entry->ready_ms = max_of(entry->ready_ms, now_ms) + worth_ms(us, permille);
}

/* ---- addresses and users ---- */

static const struct entry *find(const struct bucket *buckets, uint64_t key)
{
	const struct bucket *bucket = &buckets[key % BUCKETS];

	for (size_t i = 0; i < WAYS; i++) {
		if (bucket->entries[i].used && bucket->entries[i].key == key)
			return &bucket->entries[i];
	}
	return NULL;
}

/* The key's entry, new if it had none, as the first of its bucket. */
static struct entry *take(struct bucket *buckets, uint64_t key)
{
	struct entry *entries = buckets[key % BUCKETS].entries;
	const struct entry *old = find(buckets, key);
	const struct entry entry = old ? *old : (struct entry){.key = key, .used = true};
	const size_t before = old ? (size_t)(old - entries) : WAYS - 1;

	memmove(&entries[1], &entries[0], before * sizeof *entries);
	entries[0] = entry;
	return &entries[0];
}

static void charge_one(struct bucket *buckets, uint64_t key, int64_t us, unsigned permille, bool success,
                       int64_t now_ms)
{
	struct entry *entry = take(buckets, key);

	if (success) {
		entry->failures = 0;
		entry->ready_ms = now_ms;
	} else {
		fail(entry, now_ms);
	}
	spend(entry, us, permille, now_ms);
}

static bool ready(const struct entry *entry, int64_t now_ms)
{
	return !entry || entry->ready_ms <= now_ms;
}

/* ---- all of them ---- */

struct sign_in_budget *sign_in_budget_new(unsigned percent)
{
	struct sign_in_budget *budget = calloc(1, sizeof *budget);

	if (budget)
		budget->permille = percent * 10;
	return budget;
}

void sign_in_budget_free(struct sign_in_budget *budget)
{
	free(budget);
}

bool sign_in_budget_allows(const struct sign_in_budget *budget, const struct sign_in_subject *subject, int64_t now_ms)
{
	if (budget->permille == 0)
		return false;
	const bool calm = failures_left(&budget->whole, now_ms) == 0;
	const int64_t ahead_ms = calm ? worth_ms(BUDGET_BURST_US, budget->permille) : 0;

	return ready(&budget->whole, now_ms + ahead_ms) && ready(find(budget->addresses, subject->address), now_ms) &&
	       ready(find(budget->users, subject->user), now_ms);
}

void sign_in_budget_charge(struct sign_in_budget *budget, const struct sign_in_subject *subject, int64_t us,
                           bool success, int64_t now_ms)
{
	const unsigned permille = budget->permille > 0 ? budget->permille : BUDGET_FLOOD_PERMILLE;

	charge_one(budget->addresses, subject->address, us, permille, success, now_ms);
	charge_one(budget->users, subject->user, us, permille, success, now_ms);
	if (!success)
		fail(&budget->whole, now_ms);
	const bool calm = failures_left(&budget->whole, now_ms) == 0;
	spend(&budget->whole, us, calm ? permille : BUDGET_FLOOD_PERMILLE, now_ms);
}

static unsigned pressure_left(const struct entry *entry, int64_t now_ms)
{
	const int64_t halvings = entry ? (now_ms - entry->pressed_ms) / BUDGET_PRESSURE_MS : 0;

	return entry && halvings < 32 ? entry->pressure >> halvings : 0;
}

static void press_one(struct bucket *buckets, uint64_t key, int64_t now_ms)
{
	struct entry *entry = take(buckets, key);
	const unsigned left = pressure_left(entry, now_ms);

	entry->pressure = left < PRESSURE_MAX ? left + 1 : left;
	entry->pressed_ms = now_ms;
}

void sign_in_budget_press(struct sign_in_budget *budget, const struct sign_in_subject *subject, int64_t now_ms)
{
	press_one(budget->addresses, subject->address, now_ms);
	press_one(budget->users, subject->user, now_ms);
}

struct sign_in_pressure sign_in_budget_pressure(const struct sign_in_budget *budget,
                                                const struct sign_in_subject *subject, int64_t now_ms)
{
	return (struct sign_in_pressure){pressure_left(find(budget->addresses, subject->address), now_ms),
	                                 pressure_left(find(budget->users, subject->user), now_ms)};
}

/* ---- places ---- */

size_t sign_in_budget_place(struct slice address, uint8_t out[static ADDRESS_BYTES_MAX])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const char *scope = address.len > 0 ? memchr(address.ptr, '%', address.len) : NULL; /* fe80::1%eth0 */
	const size_t len = scope ? (size_t)(scope - address.ptr) : address.len;
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (len > 0 && len < sizeof text) {
		memcpy(text, address.ptr, len);
		text[len] = '\0';
		if (inet_pton(AF_INET, text, out) == 1)
			return 4;
		if (inet_pton(AF_INET6, text, bytes) == 1) {
			const bool is_v4 = memcmp(bytes, mapped, sizeof mapped) == 0;
			const size_t kept = is_v4 ? 4 : 8;
			memcpy(out, is_v4 ? bytes + sizeof mapped : bytes, kept);
			return kept;
		}
	}
	const size_t kept = address.len < ADDRESS_BYTES_MAX ? address.len : ADDRESS_BYTES_MAX;
	if (kept > 0)
		memcpy(out, address.ptr, kept);
	return kept;
}
