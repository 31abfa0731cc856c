/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_flood_test: 1,000 wrong passwords a second for a minute (of simulated time), from one address or 250, for one
 * user or 1,000. What it costs the broker's thread, whether people get in meanwhile, and whether an administrator can
 * set a password. By the clock of the tests each hash in the broker's thread takes 80 ms, and the hasher's thread does
 * at least one in 100 ms.
 */
#include "sign_in_fixture.h"

#include "sign_in_jobs.h"

#define SECONDS   60
#define WINDOW    10
#define PERSON_MS 5000 /* when a person comes, and how long until the next attempt */
#define MAKE_MS   8000

struct flood {
	const char *name;
	unsigned addresses, users;
	bool with_hasher;
};

static void attack(struct house *house, const struct flood *flood, unsigned n, int64_t now_ms)
{
	char address[32];
	char user[32];
	char plain[32];

	snprintf(address, sizeof address, "127.0.0.%u", 1 + n % flood->addresses);
	snprintf(user, sizeof user, "user%u", n % flood->users);
	snprintf(plain, sizeof plain, "guess %u", n);
	const enum sign_in_verdict verdict = house_try(house, flood->users == 1 ? "anna" : user, plain, address, now_ms);
	assert_true(verdict == SIGN_IN_NO || verdict == SIGN_IN_LATER);
}

/* Their own word, from an address of their own; anna is the one who is attacked. */
static bool person_comes(struct house *house, const char *user, const char *plain, const char *address, int64_t now_ms)
{
	const enum sign_in_verdict verdict = house_try(house, user, plain, address, now_ms);

	assert_int_not_equal(verdict, SIGN_IN_NO);
	return verdict == SIGN_IN_YES;
}

static void run_flood(const struct flood *flood)
{
	struct house house = house_new(5, flood->with_hasher, PASSWORD_ITERATIONS_MIN / 100);
	uint64_t us[SECONDS + 1] = {0};
	unsigned attempts[2] = {0};
	bool in[2] = {false};
	char made[PASSWORD_TEXT_MAX];
	uint64_t ticket = 0;
	bool ok;

	for (int64_t now_ms = 0; now_ms < SECONDS * 1000; now_ms++) {
		attack(&house, flood, (unsigned)now_ms, now_ms);
		if (flood->with_hasher && now_ms % 100 == 99)
			house_await(&house, sign_in_counters(house.sign_in).hashed_there + 1, now_ms);
		if (flood->with_hasher && now_ms > 0 && now_ms % PERSON_MS == 0) {
			attempts[0] += !in[0];
			attempts[1] += !in[1];
			in[0] = in[0] || person_comes(&house, "anna", "annas word", "192.0.2.1", now_ms);
			in[1] = in[1] || person_comes(&house, "ben", "bens word", "192.0.2.2", now_ms);
		}
		if (flood->with_hasher && now_ms == MAKE_MS)
			assert_true(sign_in_make(house.sign_in, 99, slice_of("new word")));
		if (now_ms == MAKE_MS + 1000 && flood->with_hasher) {
			assert_true(sign_in_next_made(house.sign_in, &ticket, &ok, made));
			assert_int_equal(ticket, 99);
			assert_true(ok);
		}
		us[now_ms / 1000 + 1] = sign_in_counters(house.sign_in).us_here;
	}
	for (size_t s = WINDOW; s <= SECONDS; s++) {
		if (us[s] - us[s - WINDOW] > WINDOW * 1000000 / 100)
			fail_msg("%s: %d us of %d s up to %zu s", flood->name, (int)(us[s] - us[s - WINDOW]), WINDOW, s);
	}
	assert_true(us[SECONDS] > 0);
	if (flood->with_hasher && (attempts[0] > 2 || attempts[1] > 2 || !in[0] || !in[1]))
		fail_msg("%s: anna came %u times, ben %u", flood->name, attempts[0], attempts[1]);
	const struct sign_in_counters counters = sign_in_counters(house.sign_in);
	print_message("%-34s here %d hashes, %d ms in %d s; there %d\n", flood->name, (int)counters.hashed_here,
	              (int)(counters.us_here / 1000), SECONDS, (int)counters.hashed_there);
	house_free(&house);
}

static void costs_next_to_nothing_and_locks_nobody_out(void **state)
{
	(void)state;
	static const struct flood floods[] = {
		{"one address, one user", 1, 1, true},     {"one address, 1,000 users", 1, 1000, true},
		{"250 addresses, one user", 250, 1, true}, {"250 addresses, 1,000 users", 250, 1000, true},
		{"one address, no hasher", 1, 1, false},   {"250 addresses, 1,000 users, no hasher", 250, 1000, false},
	};

	for (size_t i = 0; i < sizeof floods / sizeof *floods; i++)
		run_flood(&floods[i]);
}

static void a_family_is_in_at_once(void **state)
{
	(void)state;
	struct house house = house_new(5, false, 1);
	char user[16];
	char address[16];

	for (unsigned i = 0; i < 4; i++) {
		snprintf(user, sizeof user, "child%u", i);
		snprintf(address, sizeof address, "192.0.2.%u", i);
		house_put_person(&house, user, "word of mine", 1);
		assert_int_equal(house_try(&house, user, "word of mine", address, 0), SIGN_IN_YES);
	}
	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.9", 0), SIGN_IN_LATER);
	/* Once a failure shows that not all are family, there is no burst; devices with secrets never wait. */
	assert_int_equal(house_try(&house, "anna", "wrong", "192.0.2.9", 10000), SIGN_IN_NO);
	assert_int_equal(house_try(&house, "ben", "bens word", "192.0.2.10", 10000), SIGN_IN_LATER);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(house_try(&house, "hall/uno1", DEVICE_SECRET, "192.0.2.10", 10000), SIGN_IN_YES);
	house_free(&house);
}

/* ---- what waits for the hasher ---- */

static struct sign_in_job *add(struct sign_in_jobs *jobs, enum job_queue queue, uint64_t address, const char *user)
{
	const struct sign_in_subject subject = {.address = address, .user = (uint64_t)user[0]};
	struct sign_in_job *job = sign_in_jobs_add(jobs, queue, &subject, slice_of("word"));

	if (job)
		snprintf(job->user, sizeof job->user, "%s", user);
	return job;
}

static struct sign_in_job *finish(struct sign_in_jobs *jobs, struct hasher *hasher)
{
	const time_t deadline = time(NULL) + DEADLINE_S;
	struct sign_in_job *job;

	while (!(job = sign_in_jobs_finish(jobs, hasher))) {
		assert_true(time(NULL) < deadline);
		rest();
	}
	return job;
}

static void the_most_urgent_goes_first(void **state)
{
	(void)state;
	struct sign_in_jobs *jobs = sign_in_jobs_new();
	struct sign_in_budget *budget = sign_in_budget_new(5);
	struct hasher *hasher = hasher_start();
	/* Four are with the hasher at a time, so the first four say most. */
	static const struct {
		enum job_queue queue;
		const char *user;
	} wanted[] = {{JOB_MAKE, "a"},  {JOB_MAKE, "b"},  {JOB_CHECK, "d"},   {JOB_CHECK, "e"},  {JOB_CHECK, "c"},
	              {JOB_CHECK, "b"}, {JOB_CHECK, "a"}, {JOB_UPGRADE, "a"}, {JOB_UPGRADE, "b"}};

	/* One that somebody before us asked for. */
	assert_true(hasher_ask(hasher, &(struct hasher_job){.ticket = 12345, .kind = HASHER_VERIFY, .plain_len = 1}));
	assert_non_null(add(jobs, JOB_UPGRADE, 0, "a"));
	assert_non_null(add(jobs, JOB_UPGRADE, 0, "b"));
	/* Address 1 pressed three times, two of them for a; 2 once, 3 and 4 not. */
	assert_non_null(add(jobs, JOB_CHECK, 1, "a"));
	assert_non_null(add(jobs, JOB_CHECK, 1, "b"));
	assert_non_null(add(jobs, JOB_CHECK, 2, "c"));
	assert_non_null(add(jobs, JOB_CHECK, 3, "d"));
	assert_non_null(add(jobs, JOB_CHECK, 4, "e"));
	for (unsigned i = 0; i < 3; i++)
		sign_in_budget_press(budget, &(struct sign_in_subject){1, i < 2 ? 'a' : 'b'}, 0);
	sign_in_budget_press(budget, &(struct sign_in_subject){2, 'c'}, 0);
	assert_non_null(add(jobs, JOB_MAKE, 0, "a"));
	assert_non_null(add(jobs, JOB_MAKE, 0, "b"));
	assert_true(sign_in_jobs_upgrading(jobs, slice_of("b")));
	assert_false(sign_in_jobs_upgrading(jobs, slice_of("c")));
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		sign_in_jobs_hand_over(jobs, hasher, budget, 0);
		struct sign_in_job *job = finish(jobs, hasher);
		assert_int_equal(job->queue, wanted[i].queue);
		assert_string_equal(job->user, wanted[i].user);
		assert_int_equal(job->ok, job->queue != JOB_CHECK);
		sign_in_job_free(jobs, job);
	}
	assert_false(sign_in_jobs_upgrading(jobs, slice_of("b")));
	sign_in_jobs_free(jobs);
	sign_in_budget_free(budget);
	hasher_stop(hasher);
}

static void who_presses_most_gives_way(void **state)
{
	(void)state;
	static const unsigned rooms[JOB_QUEUES] = {32, 128, 8};
	struct sign_in_jobs *jobs = sign_in_jobs_new();
	struct sign_in_budget *budget = sign_in_budget_new(5);
	const struct sign_in_subject quiet = {1000, 'q'};
	const struct sign_in_subject loud = {2000, 'l'};

	for (int queue = JOB_QUEUES - 1; queue >= 0; queue--) {
		for (unsigned i = 0; i < rooms[queue]; i++) {
			assert_null(sign_in_jobs_displace(jobs, budget, &quiet, 0));
			assert_non_null(add(jobs, (enum job_queue)queue, i, "a"));
		}
		assert_null(add(jobs, (enum job_queue)queue, 1000, "a"));
	}
	/* The names differ, but nobody has pressed. */
	assert_null(sign_in_jobs_displace(jobs, budget, &quiet, 0));
	for (unsigned i = 0; i < 20; i++) {
		sign_in_budget_press(budget, &(struct sign_in_subject){i < 19 ? 77 : 5, 'a'}, 0);
		sign_in_budget_press(budget, &loud, 0);
	}
	assert_null(sign_in_jobs_displace(jobs, budget, &loud, 0));
	struct sign_in_job *displaced = sign_in_jobs_displace(jobs, budget, &quiet, 0);
	assert_non_null(displaced);
	assert_int_equal(displaced->subject.address, 77);
	sign_in_job_free(jobs, displaced);
	assert_non_null(add(jobs, JOB_CHECK, 1000, "q"));
	assert_null(add(jobs, JOB_CHECK, 1000, "q"));
	sign_in_jobs_free(jobs);
	sign_in_jobs_free(NULL);
	sign_in_budget_free(budget);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(costs_next_to_nothing_and_locks_nobody_out),
		cmocka_unit_test(a_family_is_in_at_once),
		cmocka_unit_test(the_most_urgent_goes_first),
		cmocka_unit_test(who_presses_most_gives_way),
	};
	return cmocka_run_group_tests_name("sign_in_flood", tests, NULL, NULL);
}
