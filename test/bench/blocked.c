/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * blocked: see blocked.h.
 *
 * The load runs on a thread of its own without a pause, while the calling one goes through the phases: it holds the database,
 * watches rows come and in the end stops the load. A message belongs to the phase, and in that to the window, in which it was
 * due; so one that has to wait is counted where it had to wait.
 *
 * Each window has percentiles of its own, and a phase's figure is their median: a machine that does something else for a
 * moment spoils the windows of that moment and not the phase. A window of 1 s at 5,000 messages a second has 50 above
 * its p99, enough to be steady, and even a run of 6 s has 3 windows before.
 */
#include "blocked.h"
#include "clock.h"
#include "devices.h"
#include "latency.h"
#include "load.h"
#include "progress.h"
#include "server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SETTLING_NS      SECOND_NS
#define LOOK_US          20000
#define LOOKS            5                /* so often in a row nothing may wait */
#define PACE_NS          (SECOND_NS / 4)  /* "nothing waits": what is missing came within so long a time */
#define CATCH_UP_TOO     (30 * SECOND_NS) /* given up after as long as it was held, and so much */
#define PREPARED_LOOKS   25               /* so often in a row nothing more may have come */
#define PREPARED_TIMEOUT (10 * SECOND_NS)
#define WINDOW_LEAST     100 /* messages that make percentiles */
#define BATCH            32
#define WINDOW           20000 /* messages under way: the load does not wait for the broker */

const char *const PHASE_NAMES[PHASE_COUNT] = {"before", "during", "after"};

struct run {
	const struct blocked_setup *setup;
	struct blocked_answer *answer;
	struct server server;
	struct load *load;
	struct held *history;
	int64_t rows_before;    /* the load began */
	int64_t counted_before; /* the same, as held_way.count tells it */

	/* Phase n goes from begin_ns[n] to begin_ns[n + 1]; INT64_MAX: not yet. Read by the load. */
	_Atomic int64_t begin_ns[PHASE_COUNT + 1];
	_Atomic uint64_t acknowledged;
	atomic_bool stop;
	atomic_bool load_ended;
	struct latency *latencies[PHASE_COUNT]; /* by window; the load's */

	/* The load's, until it has ended. */
	bool loaded;
	struct load_result result;
	struct fault load_fault;
};

static double seconds_between(int64_t from_ns, int64_t to_ns)
{
	return (double)(to_ns - from_ns) / (double)SECOND_NS;
}

/* ---- the load's thread ---- */

static void note_latency(void *context, int64_t due_ns, int64_t now_ns)
{
	struct run *run = context;
	atomic_fetch_add_explicit(&run->acknowledged, 1, memory_order_relaxed);
	for (int phase = PHASE_COUNT - 1; phase >= 0; phase--) {
		int64_t begin_ns = atomic_load(&run->begin_ns[phase]);
		if (due_ns < begin_ns) {
			continue;
		}
		int64_t window = (due_ns - begin_ns) / run->setup->window_ns;
		if (due_ns < atomic_load(&run->begin_ns[phase + 1]) && window < BLOCKED_WINDOWS_MAX) {
			latency_add(&run->latencies[phase][window], now_ns - due_ns);
		}
		return;
	}
}

/* ---- the phases ---- */

/* False: the load has ended or a person wants to stop. */
static bool wait_until(const struct run *run, int64_t until_ns, const char *what)
{
	while (clock_ns() < until_ns) {
		if (!progress_show("%s: %lld s", what, (long long)((until_ns - clock_ns()) / SECOND_NS)) ||
		    atomic_load(&run->load_ended)) {
			return false;
		}
		clock_sleep_us(LOOK_US);
	}
	return true;
}

/* Goes on until everything that was acknowledged is stored and, at the load's pace, stays so. */
static bool await_caught_up(struct run *run, int64_t released_ns, int64_t held_ns, struct fault *fault)
{
	const struct held_way *way = run->setup->way;
	struct blocked_answer *answer = run->answer;
	const int64_t at_pace = run->setup->rate * PACE_NS / SECOND_NS;
	const int64_t deadline_ns = released_ns + held_ns + CATCH_UP_TOO;
	const int64_t rows_at_release = way->count(run->history, fault);
	int64_t caught_up_ns = 0;
	if (rows_at_release < 0) {
		return false;
	}
	for (int looks = 0; looks < LOOKS;) {
		int64_t now_ns = clock_ns();
		int64_t acknowledged = (int64_t)atomic_load(&run->acknowledged); /* first: rows come without it too */
		int64_t rows = way->count(run->history, fault);
		if (rows < 0) {
			return false;
		}
		if (answer->first_row_s == 0 && rows > rows_at_release) {
			answer->first_row_s = seconds_between(released_ns, now_ns);
		}
		int64_t waiting = acknowledged - (rows - run->counted_before);
		caught_up_ns = looks == 0 ? now_ns : caught_up_ns;
		looks = waiting <= at_pace ? looks + 1 : 0;
		if (now_ns > deadline_ns) {
			return fault_set(fault, "%lld readings still wait %.0f s after the release", (long long)waiting,
			                 seconds_between(released_ns, now_ns));
		}
		if (!wait_until(run, now_ns + LOOK_US * 1000, "catching up")) {
			return fault_set(fault, "stopped");
		}
	}
	answer->caught_up_s = seconds_between(released_ns, caught_up_ns);
	atomic_store(&run->begin_ns[PHASE_COUNT], caught_up_ns);
	return true;
}

static bool block(struct run *run, int64_t start_ns, struct fault *fault)
{
	const struct held_way *way = run->setup->way;
	int64_t seconds_ns = run->setup->seconds * SECOND_NS;
	int64_t before_ns = start_ns + SETTLING_NS;
	atomic_store(&run->begin_ns[PHASE_BEFORE], before_ns);
	if (!wait_until(run, before_ns + seconds_ns / 2, "undisturbed")) {
		return fault_set(fault, "stopped");
	}
	atomic_store(&run->begin_ns[PHASE_DURING], clock_ns());
	if (!way->hold(run->history, fault)) {
		return false;
	}
	int64_t held_from_ns = clock_ns();
	bool waited = wait_until(run, held_from_ns + seconds_ns, "the database is held");
	int64_t held_ns = clock_ns() - held_from_ns;
	if (!way->release(run->history, fault)) {
		return false;
	}
	int64_t released_ns = clock_ns();
	atomic_store(&run->begin_ns[PHASE_AFTER], released_ns);
	run->answer->held_s = (double)held_ns / (double)SECOND_NS;
	if (!waited) {
		return fault_set(fault, "stopped");
	}
	return await_caught_up(run, released_ns, held_ns, fault);
}

/* ---- a run ---- */

/* Waits until what devices_prepare has published is stored and no more comes: it is no part of the load. */
static bool await_prepared(struct run *run, struct fault *fault)
{
	const struct held_way *way = run->setup->way;
	int64_t deadline_ns = clock_ns() + PREPARED_TIMEOUT;
	for (int looks = 0; looks < PREPARED_LOOKS; looks++) {
		clock_sleep_us(LOOK_US);
		int64_t rows = way->count(run->history, fault); /* -1: its tables are not there yet */
		if (rows != run->counted_before || rows < run->setup->publishers) {
			looks = 0;
			run->counted_before = rows;
		}
		if (clock_ns() > deadline_ns) {
			return rows < 0 ? false : fault_set(fault, "only %lld of the first readings are stored", (long long)rows);
		}
	}
	run->rows_before = way->recount(run->history, fault);
	return run->rows_before >= 0;
}

static bool start_broker(struct run *run, struct fault *fault)
{
	const struct blocked_setup *setup = run->setup;
	char folder[PATH_MAX];
	char conf[4 * PATH_MAX];
	snprintf(folder, sizeof(folder), "%s/broker", setup->folder);
	run->history = setup->way->make(folder, &setup->pins, fault);
	if (run->history == NULL) {
		return false;
	}
	snprintf(conf, sizeof(conf), "plugin %s\nplugin_opt_state_dir %s\nplugin_opt_store %s\nplugin_opt_gauges_every 0\n",
	         setup->hearth, folder, setup->way->store(run->history));
	if (!server_start(&run->server, folder, setup->mosquitto, conf, &setup->pins, fault) ||
	    !devices_prepare(run->server.port, setup->publishers, true, fault)) {
		return false;
	}
	server_version(&run->server, run->answer->mosquitto_version, sizeof(run->answer->mosquitto_version));
	return setup->way->open(run->history, fault) && await_prepared(run, fault);
}

static bool open_load(struct run *run, struct fault *fault)
{
	struct load_plan plan = {
		.port = run->server.port,
		.publishers = run->setup->publishers,
		.qos = 1,
		.batch = BATCH,
		.window = WINDOW,
		.rate = run->setup->rate,
		/* It sleeps while it waits: on a small machine it shares its CPU with the threads that store the readings. */
		.spin = false,
		.filter = DEVICES_FILTER,
		.topic = devices_topic,
		.payload = devices_payload,
		.acknowledged = note_latency,
		.context = run,
		.stop = &run->stop,
	};
	run->load = load_open(&plan, fault);
	return run->load != NULL;
}

static void *load_main(void *argument)
{
	struct run *run = argument;
	run->loaded = load_run(run->load, UINT64_MAX / 2, &run->result, &run->load_fault);
	atomic_store(&run->load_ended, true);
	return NULL;
}

static bool go_through_phases(struct run *run, struct fault *fault)
{
	pthread_t loader;
	if (pthread_create(&loader, NULL, load_main, run) != 0) {
		return fault_set(fault, "cannot start a thread");
	}
	bool done = block(run, clock_ns(), fault);
	atomic_store(&run->stop, true);
	pthread_join(loader, NULL);
	if (!run->loaded) {
		*fault = run->load_fault;
	}
	run->answer->acknowledged = run->result.acknowledged;
	return (done && run->loaded) || server_fault_add(&run->server, fault);
}

/* The broker stores what it has acknowledged before it ends. */
static bool count_stored(struct run *run, struct fault *fault)
{
	if (!server_settle(&run->server, fault) || !server_stop(&run->server, fault)) {
		return false;
	}
	int64_t rows = run->setup->way->recount(run->history, fault);
	run->answer->stored = rows - run->rows_before;
	return rows >= 0;
}

/* A phase's last window is whole only by chance, and left out unless it is the only one. */
static bool summarize(struct run *run, enum phase phase, struct fault *fault)
{
	const struct latency *latencies = run->latencies[phase];
	int64_t length_ns = atomic_load(&run->begin_ns[phase + 1]) - atomic_load(&run->begin_ns[phase]);
	int64_t count = length_ns / run->setup->window_ns;
	count = count < 1 ? 1 : count;
	count = count > BLOCKED_WINDOWS_MAX ? BLOCKED_WINDOWS_MAX : count;
	struct blocked_window *windows = calloc((size_t)count, sizeof(*windows));
	if (windows == NULL) {
		return fault_set(fault, "no memory");
	}
	run->answer->windows[phase] = windows;
	for (int64_t i = 0; i < count; i++) {
		if (latencies[i].count < WINDOW_LEAST && phase != PHASE_AFTER) {
			return fault_set(fault, "only %llu messages in a window: wanted a higher --rate",
			                 (unsigned long long)latencies[i].count);
		}
		windows[i].p50_ns = (double)latency_quantile(&latencies[i], 0.5);
		windows[i].p99_ns = (double)latency_quantile(&latencies[i], 0.99);
		if (latencies[i].max_ns > run->answer->max_ns[phase]) {
			run->answer->max_ns[phase] = latencies[i].max_ns;
		}
	}
	run->answer->window_count[phase] = (int)count;
	return true;
}

static bool summarize_all(struct run *run, struct fault *fault)
{
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		if (!summarize(run, (enum phase)phase, fault)) {
			return false;
		}
	}
	return true;
}

bool blocked_measure(const struct blocked_setup *setup, struct blocked_answer *answer, struct fault *fault)
{
	bool done = true;
	struct run *run = calloc(1, sizeof(*run));
	*answer = (struct blocked_answer){0};
	if (run == NULL) {
		return fault_set(fault, "no memory");
	}
	run->setup = setup;
	run->answer = answer;
	for (int phase = 0; phase <= PHASE_COUNT; phase++) {
		atomic_init(&run->begin_ns[phase], INT64_MAX);
	}
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		run->latencies[phase] = calloc(BLOCKED_WINDOWS_MAX, sizeof(*run->latencies[phase]));
		done = done && (run->latencies[phase] != NULL || fault_set(fault, "no memory"));
	}
	done = done && start_broker(run, fault) && open_load(run, fault) && go_through_phases(run, fault) &&
	       count_stored(run, fault) && summarize_all(run, fault);
	load_close(run->load);
	server_remove(&run->server);
	setup->way->free(run->history);
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		free(run->latencies[phase]);
	}
	free(run);
	return done;
}

void blocked_answer_free(struct blocked_answer *answer)
{
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		free(answer->windows[phase]);
		answer->windows[phase] = NULL;
	}
}
