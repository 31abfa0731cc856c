/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * nth_call: each call that can fail is made to fail at its nth time, n = 1, 2, 3 … until the scenario runs without a
 * fault; once alone, and from then on. No crash, no silent loss, a clean recovery; see scenario.h.
 *
 * The runs are made by child processes, several at a time, since most of a run is waiting; so a crash is a failure like
 * any other, and says where. Under AddressSanitizer each child ends with a look for leaks.
 *
 * Kinds with many calls are thinned: every k-th from a random first one, both printed. TEST_LONG=1 tries all, which takes
 * about ten minutes. FAULT_KIND=NAME tries that kind alone.
 */
#include "../unit/fake_broker.h"
#include "fault.h"
#include "scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TRIES      30 /* a kind and mode, unless TEST_LONG */
#define PATIENCE_S 60 /* for one run */
#define MODES      2
#define WORKERS    6 /* for each mode */

/* What a child tells its parent. */
struct progress {
	uint64_t n; /* that is being tried; 0: no fault */
	unsigned tried, refused, damaged;
	char failure[1024];
};

/* In memory that all share. */
static struct shared {
	uint64_t calls[FAULT_KINDS]; /* of a run without a fault */
	struct progress progress[MODES * WORKERS];
} * shared;

static struct progress *mine; /* in a child */
static char base[64];
static const char *const mode_names[MODES] = {"once", "from then on"};

/* What is tried of a kind: n = first, first + step … */
struct plan {
	enum fault_kind kind;
	uint64_t first, step;
};

void scenario_fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(mine->failure, sizeof mine->failure, format, arguments);
	va_end(arguments);
	_exit(1);
}

/* ---- in a child ---- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

static void remove_all(const char *path)
{
	if (nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		scenario_fail("%s cannot be removed: %s", path, strerror(errno));
}

static size_t open_files(void)
{
	size_t count = 0;
	for (int file = 0; file < 256; file++)
		count += fcntl(file, F_GETFD) >= 0;
	return count;
}

/* One run with the nth call failing, and one without faults on what it left. False if nothing failed. */
static bool run(const struct options *options, enum fault_kind kind, uint64_t n, enum fault_mode mode)
{
	static struct ledger ledger;
	size_t files = open_files();

	alarm(PATIENCE_S);
	mine->n = n;
	fault_arm(kind, n, mode, 0);
	bool started = scenario_play(options, &ledger);
	fault_disarm();
	bool fired = fault_fired();
	if (ledger.damaged && kind != FAULT_READ)
		scenario_fail("the journal is said to be damaged");
	if (!started && !fired)
		scenario_fail("it did not start: %s", ledger.error);
	scenario_check(options, &ledger);
	if (open_files() != files)
		scenario_fail("%zu files are still open, wanted %zu", open_files(), files);
	mine->tried += fired;
	mine->refused += !started;
	mine->damaged += ledger.damaged;
	remove_all(options->state_dir);
	return fired;
}

/* The gauges are read from /proc, which takes long, and only these calls do it. */
static bool needs_gauges(enum fault_kind kind)
{
	return kind == FAULT_FOPEN || kind == FAULT_READ || kind == FAULT_FOLDER || kind == FAULT_KINDS;
}

static void options_make(struct options *options, const char *folder, bool gauges)
{
	char error[OPTIONS_ERROR_MAX];
	const struct option_line lines[] = {{"node", "node1"},
	                                    {"sync_ms", "10"},
	                                    {"journal_max", "4M"},
	                                    {"gauges_every", gauges ? "1" : "0"},
	                                    {"state_dir", folder}};
	if (!options_read(lines, sizeof lines / sizeof lines[0], options, error))
		scenario_fail("%s", error);
}

/* The first of a mode's workers takes the first n, the second the second, and so on. */
static void child_main(const struct plan *plan, int number)
{
	const int mode = number / WORKERS, worker = number % WORKERS;
	struct options options;
	char folder[128];

	mine = &shared->progress[number];
	scenario_prepare();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(folder, sizeof folder, "%s/%d", base, number);
	remove_all(folder);
	options_make(&options, folder, needs_gauges(plan->kind));
	if (!fault_install())
		scenario_fail("SQLite's hooks cannot be set");
	if (plan->kind == FAULT_KINDS) {
		run(&options, FAULT_KINDS, 0, FAULT_ONCE);
		for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
			shared->calls[kind] = fault_calls(kind);
	} else {
		uint64_t n = plan->first + (uint64_t)worker * plan->step;
		while (run(&options, plan->kind, n, (enum fault_mode)mode))
			n += WORKERS * plan->step;
	}
	options_free(&options);
}

/* ---- in the parent ---- */

static pid_t child_start(const struct plan *plan, int number)
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child > 0)
		return child;
	child_main(plan, number);
	exit(0); /* and not _exit: leaks are looked for at the end */
}

/* True if the child has found nothing wrong. */
static bool child_end(pid_t child, const struct plan *plan, int number)
{
	const struct progress *one = &shared->progress[number];
	const char *name = plan->kind < FAULT_KINDS ? fault_name(plan->kind) : "no fault";
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	print_error("%s %llu, %s: %s%s%s\n", name, (unsigned long long)one->n, mode_names[number / WORKERS], one->failure,
	            WIFSIGNALED(status) ? "killed by SIG" : "", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "");
	return false;
}

static void print_progress(const struct plan *plan, int mode)
{
	struct progress sum = {0};
	for (int i = 0; i < WORKERS; i++) {
		const struct progress *one = &shared->progress[mode * WORKERS + i];
		sum.tried += one->tried;
		sum.refused += one->refused;
		sum.damaged += one->damaged;
	}
	printf("# %-18s %-12s %4u faults in %4llu calls", fault_name(plan->kind), mode_names[mode], sum.tried,
	       (unsigned long long)shared->calls[plan->kind]);
	if (plan->step > 1)
		printf(", each %llu. from %llu", (unsigned long long)plan->step, (unsigned long long)plan->first);
	if (sum.refused > 0)
		printf(", %u starts refused", sum.refused);
	if (sum.damaged > 0)
		printf(", damage reported %u times", sum.damaged);
	putchar('\n');
}

static uint64_t random_below(uint64_t limit)
{
	uint64_t number = 0;
	assert_int_equal(getrandom(&number, sizeof number, 0), sizeof number);
	return number % limit;
}

static void test_kind(void **state)
{
	struct plan plan = {.kind = *(const enum fault_kind *)*state, .step = 1};
	pid_t child[MODES * WORKERS];
	const char *wanted = getenv("TEST_LONG");
	const bool all = wanted != NULL && strcmp(wanted, "1") == 0;
	/* A lock that stays taken is waited for, some ten seconds at each start. */
	const int modes = all || plan.kind != FAULT_VFS_LOCK ? MODES : 1;
	bool good = true;

	if (!all && shared->calls[plan.kind] > TRIES)
		plan.step = (shared->calls[plan.kind] + TRIES - 1) / TRIES;
	plan.first = 1 + random_below(plan.step);
	memset(shared->progress, 0, sizeof shared->progress);
	for (int i = 0; i < modes * WORKERS; i++)
		child[i] = child_start(&plan, i);
	for (int i = 0; i < modes * WORKERS; i++)
		good = child_end(child[i], &plan, i) && good;
	for (int mode = 0; mode < modes; mode++)
		print_progress(&plan, mode);
	assert_true(good);
}

/* The scenario as such, and how many calls of each kind there are. */
static void test_without_a_fault(void **state)
{
	const struct plan none = {.kind = FAULT_KINDS};
	(void)state;
	assert_true(child_end(child_start(&none, 0), &none, 0));
}

static int set_up(void **state)
{
	const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* where a sync costs nothing */
	(void)state;
	snprintf(base, sizeof base, "%s/nth_call_XXXXXX", parent);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED || mkdtemp(base) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return munmap(shared, sizeof *shared);
}

int main(void)
{
	static enum fault_kind kinds[FAULT_KINDS];
	static struct CMUnitTest tests[FAULT_KINDS + 1];
	const char *only = getenv("FAULT_KIND");
	size_t count = 0;

	tests[0] = (struct CMUnitTest)cmocka_unit_test(test_without_a_fault);
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++) {
		if (kind == FAULT_BROKER || (only != NULL && strcmp(only, fault_name(kind)) != 0))
			continue;
		kinds[count] = kind;
		tests[count + 1] = (struct CMUnitTest){fault_name(kind), test_kind, NULL, NULL, &kinds[count]};
		count++;
	}
	return _cmocka_run_group_tests("nth_call", tests, count + 1, set_up, tear_down);
}
