/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * recovery: see recovery.h.
 *
 * A child process fills a journal and kills itself, so that it is found as after kill -9: neither closed nor cut. What it
 * wrote is still in the page cache.
 */
#include "recovery.h"
#include "clock.h"
#include "keeper.h"
#include "outbox.h"
#include "place.h"
#include "record.h"
#include "state.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORD_BYTES 32 /* a number in the journal */

static double seconds_since(int64_t start_ns)
{
	return (double)(clock_ns() - start_ns) / (double)SECOND_NS;
}

/* The child's half: never returns. */
static void fill_and_die(const char *folder, uint64_t readings, const struct recovery_setup *setup)
{
	struct fault fault = {0};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct outbox *outbox = outbox_open(folder, 2 * setup->bytes, &fault);
	if (outbox == NULL || !outbox_fill(outbox, readings, setup->series, &fault)) {
		fprintf(stderr, "bench journal: %s\n", fault.text);
		_exit(1);
	}
	kill(getpid(), SIGKILL);
	_exit(1);
}

static bool leave_journal(const char *folder, uint64_t readings, const struct recovery_setup *setup,
                          struct fault *fault)
{
	int status = 0;
	pid_t child = fork();
	if (child < 0) {
		return fault_set(fault, "fork: %s", strerror(errno));
	}
	if (child == 0) {
		fill_and_die(folder, readings, setup);
	}
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR) {
			return fault_set(fault, "waitpid: %s", strerror(errno));
		}
	}
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		return fault_set(fault, "the process that fills the journal failed");
	}
	return true;
}

/* Reads everything, as a writer does that has to begin at the front. */
static bool read_all(struct journal *journal, struct recovery_round *round, struct fault *fault)
{
	struct journal_record record;
	enum journal_next next;
	struct journal_cursor *cursor = journal_cursor_new(journal, journal_begin(journal));
	if (cursor == NULL) {
		return fault_set(fault, "no memory");
	}
	while ((next = journal_next(cursor, &record)) == JOURNAL_RECORD) {
		uint32_t series;
		int64_t time_us;
		struct value value;
		if (record.type == RECORD_READING &&
		    record_get_reading(record.payload, record.len, &series, &time_us, NULL, &value)) {
			round->records++;
		}
	}
	journal_cursor_free(cursor);
	return next == JOURNAL_END || fault_set(fault, "the journal is damaged");
}

static bool recover(const char *folder, const char *state_path, const struct recovery_setup *setup,
                    struct recovery_round *round, struct fault *fault)
{
	char error[256] = "";
	struct state *state = NULL;
	bool done = false;
	struct journal_options options = {.directory = folder, .quota = 4 * setup->bytes};
	int64_t start_ns = clock_ns();
	struct journal *journal = journal_open(&options, error, sizeof(error));
	round->open_s = seconds_since(start_ns);
	if (journal == NULL) {
		return fault_set(fault, "%s", error);
	}
	round->bytes = journal_bytes(journal);
	state = state_open(state_path, error, sizeof(error));
	if (state == NULL) {
		fault_set(fault, "%s", error);
		goto out;
	}
	start_ns = clock_ns();
	if (!keeper_catch_up(journal, state, error, sizeof(error))) {
		fault_set(fault, "%s", error);
		goto out;
	}
	round->catch_up_s = seconds_since(start_ns);
	start_ns = clock_ns();
	done = read_all(journal, round, fault);
	round->read_s = seconds_since(start_ns);
out:
	state_close(state);
	journal_close(journal);
	return done;
}

bool recovery_measure(const struct recovery_setup *setup, struct recovery_round *round, struct fault *fault)
{
	char journal[PATH_MAX];
	char state[PATH_MAX];
	char side_file[PATH_MAX + 8];
	uint64_t readings = setup->bytes / RECORD_BYTES;
	*round = (struct recovery_round){0};
	snprintf(journal, sizeof(journal), "%s/journal", setup->folder);
	snprintf(state, sizeof(state), "%s/state.db", setup->folder);
	bool done = leave_journal(journal, readings, setup, fault) && recover(journal, state, setup, round, fault);
	place_remove(journal);
	place_remove(state);
	snprintf(side_file, sizeof(side_file), "%s-wal", state);
	place_remove(side_file);
	snprintf(side_file, sizeof(side_file), "%s-shm", state);
	place_remove(side_file);
	if (done && round->records != readings) {
		return fault_set(fault, "%llu readings of %llu were found again", (unsigned long long)round->records,
		                 (unsigned long long)readings);
	}
	return done;
}
