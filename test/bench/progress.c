/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * progress: see progress.h.
 */
#include "progress.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t stop_wanted;
static bool on_terminal;

static void on_signal(int number)
{
	(void)number;
	stop_wanted = 1;
}

void progress_begin(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	on_terminal = isatty(STDERR_FILENO) == 1;
}

bool progress_show(const char *format, ...)
{
	if (on_terminal) {
		va_list arguments;
		va_start(arguments, format);
		/* \r and "erase to the end of the line": the next line takes this one's place. */
		fputc('\r', stderr);
		vfprintf(stderr, format, arguments);
		fputs("\033[K", stderr);
		va_end(arguments);
	}
	return stop_wanted == 0;
}

void progress_clear(void)
{
	if (on_terminal) {
		fputs("\r\033[K", stderr);
	}
}
