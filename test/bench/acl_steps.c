/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_steps: see acl_steps.h. The child stops itself before the work and after it; ptrace(2) steps it from one stop to the
 * other. What raise() takes is counted too, and is the same each time: count no work at all and subtract.
 */
#include "acl_steps.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void do_watched(void (*work)(void *context), void *context)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
		_exit(1);
	}
	raise(SIGSTOP);
	work(context);
	raise(SIGSTOP);
	_exit(0);
}

/* Waits until the child has stopped; gives the signal that it stopped at, 0 if it has ended. */
static int await_stop(pid_t child)
{
	int status = 0;
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR) {
			return 0;
		}
	}
	return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

static bool step_to_stop(pid_t child, uint64_t *out, struct fault *fault)
{
	uint64_t steps = 0;
	int signal = await_stop(child);
	if (signal != SIGSTOP) {
		return fault_set(fault, "a child process cannot be watched: ptrace is not allowed here");
	}
	do {
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0) {
			return fault_set(fault, "ptrace: %s", strerror(errno));
		}
		steps++;
		signal = await_stop(child);
	} while (signal == SIGTRAP);
	if (signal != SIGSTOP) {
		return fault_set(fault, "a child process that is watched ended too soon");
	}
	*out = steps;
	return true;
}

bool acl_steps_count(void (*work)(void *context), void *context, uint64_t *out, struct fault *fault)
{
	pid_t child = fork();
	if (child < 0) {
		return fault_set(fault, "fork: %s", strerror(errno));
	}
	if (child == 0) {
		do_watched(work, context);
	}
	bool counted = step_to_stop(child, out, fault);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return counted;
}
