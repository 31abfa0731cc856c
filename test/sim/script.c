/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * script: reads lines without waiting. The commands themselves: script_command.c.
 */
#include "script.h"

#include "events.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char buffer[8192];
static size_t length;
static bool ended;

static void fill(void)
{
	struct pollfd look = {.fd = STDIN_FILENO, .events = POLLIN};
	ssize_t got;

	if (ended || length == sizeof buffer - 1 || poll(&look, 1, 0) != 1)
		return;
	got = read(STDIN_FILENO, buffer + length, sizeof buffer - 1 - length);
	if (got > 0)
		length += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		ended = true;
}

/* Takes the first line out of the buffer; at the end of stdin also one without an end. */
static bool next_line(char line[static sizeof buffer])
{
	const char *end = memchr(buffer, '\n', length);
	const size_t size = end ? (size_t)(end - buffer) : length;

	if (!end && (!ended || !length) && length < sizeof buffer - 1)
		return false;
	memcpy(line, buffer, size);
	line[size] = '\0';
	length -= end ? size + 1 : size;
	memmove(buffer, buffer + size + (end ? 1 : 0), length);
	return true;
}

void script_poll(struct rig *rig)
{
	char line[sizeof buffer];

	fill();
	while (!rig->quit && !rig->run_until && next_line(line)) {
		line[strcspn(line, "\r")] = '\0';
		if (*line && *line != '#')
			script_line(rig, line);
	}
	if (ended && !length && !rig->run_until)
		rig->quit = true;
}

void script_wait(int ms)
{
	struct pollfd look = {.fd = STDIN_FILENO, .events = POLLIN};

	poll(&look, 1, ms);
}
