/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See program.h. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* In the child. */
static void become(const char *const arguments[], int out)
{
	int nothing = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	execvp(arguments[0], (char *const *)arguments);
	_exit(127);
}

/* What it had to say is only of interest if it failed. */
static void complain(const char *name, int status, int out)
{
	char said[1000];
	ssize_t len = pread(out, said, sizeof(said) - 1, 0);

	said[len > 0 ? len : 0] = '\0';
	fail_msg("%s ended with wait status %#x: %s", name, (unsigned)status, said);
}

void program_run(const char *const arguments[])
{
	int status = 0, out = memfd_create("out", MFD_CLOEXEC);
	pid_t pid;

	assert_true(out >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		become(arguments, out);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	if (status != 0)
		complain(arguments[0], status, out);
	close(out);
}
