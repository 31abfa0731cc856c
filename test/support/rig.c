/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See rig.h. All that a rig tells is kept, in order; `passed` is how much of it was waited past. Commands go through a socket, for
 * writing to one whose rig has died is an error and no signal. In virtual time nothing is told unless time is let pass, so
 * what waits by itself here (a start, the console) does that.
 */
#include "rig.h"

#include "house.h"
#include "patience.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h> /* cmocka.h needs these four before it */

#include <cmocka.h>

#define COMMAND_MAX   512
#define ARGUMENTS_MAX 24
#define QUIT_MS       5000
#define TYPE_SECONDS  90            /* "test" is the longest command of the console */
#define VIRTUAL_STEP  "run 0.05"    /* of simulated seconds, between two looks */
#define TOLD_AT_ONCE  (1024 * 1024) /* a rig that nobody reads must not stand still */
#define LAST_LINES    40
#define NOT_FOUND     SIZE_MAX

struct rig {
	pid_t pid;
	int to, from;
	bool is_virtual, ended;
	char folder[64], eeprom[80];
	struct rig_line *lines;
	size_t count, room, passed;
	char partial[8192]; /* a line that has not ended yet */
	size_t partial_length;
	struct rig *next;
};

static struct rig *rigs;

/* ---- what it tells ---- */

static void keep_line(struct rig *rig, const char *line)
{
	char *text;
	double time = strtod(line, &text);

	if (rig->count == rig->room) {
		rig->room = rig->room == 0 ? 256 : 2 * rig->room;
		rig->lines = realloc(rig->lines, rig->room * sizeof(*rig->lines));
		assert_non_null(rig->lines);
	}
	rig->lines[rig->count].time = time;
	snprintf(rig->lines[rig->count].text, sizeof(rig->lines->text), "%s", text + strspn(text, " "));
	rig->count++;
}

static void keep_bytes(struct rig *rig, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != '\n' && rig->partial_length < sizeof(rig->partial) - 1) {
			rig->partial[rig->partial_length++] = bytes[i];
		} else if (bytes[i] == '\n') {
			rig->partial[rig->partial_length] = '\0';
			rig->partial_length = 0;
			keep_line(rig, rig->partial);
		}
	}
}

/* Takes in what is there, and waits for something at most so long. */
static void listen_for(struct rig *rig, int ms)
{
	struct pollfd look = {.fd = rig->from, .events = POLLIN};
	char bytes[16384];

	while (!rig->ended && poll(&look, 1, ms) == 1) {
		ssize_t got = read(rig->from, bytes, sizeof(bytes));

		if (got > 0)
			keep_bytes(rig, bytes, (size_t)got);
		else if (got == 0 || errno != EINTR)
			rig->ended = true;
		ms = 0;
	}
}

static bool begins(const struct rig_line *line, const char *text)
{
	return strncmp(line->text, text, strlen(text)) == 0;
}

static size_t find(const struct rig *rig, size_t from, const char *text)
{
	for (size_t i = from; i < rig->count; i++)
		if (begins(&rig->lines[i], text))
			return i;
	return NOT_FOUND;
}

/* The place of the first line from `from` on that begins so, waiting for it; NOT_FOUND after the deadline. */
static size_t await(struct rig *rig, size_t from, int64_t deadline, const char *text)
{
	for (;;) {
		size_t place;

		listen_for(rig, 0);
		place = find(rig, from, text);
		if (place != NOT_FOUND || now_ms() > deadline)
			return place;
		if (rig->ended)
			fail_msg("the rig ended while \"%s\" was waited for", text);
		from = rig->count;
		listen_for(rig, 20);
	}
}

const struct rig_line *rig_wait(struct rig *rig, double seconds, const char *format, ...)
{
	char text[COMMAND_MAX];
	va_list arguments;
	size_t place;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	place = await(rig, rig->passed, deadline_in((int)(seconds * 1000)), text);
	if (place == NOT_FOUND) {
		fail_msg("the rig did not tell \"%s\" within %g s", text, seconds);
		return NULL;
	}
	rig->passed = place + 1;
	return &rig->lines[place];
}

bool rig_is_quiet(struct rig *rig, double seconds, const char *text)
{
	return await(rig, rig->passed, now_ms() + (int64_t)(seconds * 1000), text) == NOT_FOUND;
}

size_t rig_count(struct rig *rig, const char *text)
{
	size_t count = 0;

	listen_for(rig, 0);
	for (size_t i = 0; i < rig->count; i++)
		if (begins(&rig->lines[i], text))
			count++;
	return count;
}

const struct rig_line *rig_last(struct rig *rig, const char *text)
{
	listen_for(rig, 0);
	for (size_t i = rig->count; i > 0; i--)
		if (begins(&rig->lines[i - 1], text))
			return &rig->lines[i - 1];
	return NULL;
}

/* ---- commands ---- */

/* Gives a command and waits for its answer. Returns the answer's place. */
static size_t command(struct rig *rig, const char *text)
{
	int64_t deadline = deadline_in(SOON);
	char line[COMMAND_MAX + 2], answer[COMMAND_MAX], refusal[COMMAND_MAX];
	int length = snprintf(line, sizeof(line), "%s\n", text);
	size_t from;

	listen_for(rig, 0);
	from = rig->count;
	if (send(rig->to, line, (size_t)length, MSG_NOSIGNAL) != length)
		fail_msg("the rig takes no more commands, not \"%s\"", text);
	/* Kept lines are cut. */
	snprintf(answer, sizeof(rig->lines->text), "input %s", text);
	snprintf(refusal, sizeof(refusal), "error %s", text);
	for (;;) {
		size_t place;

		listen_for(rig, 0);
		place = find(rig, from, answer);
		if (place != NOT_FOUND)
			return place;
		place = find(rig, from, "error ");
		if (place != NOT_FOUND)
			fail_msg("\"%s\" was answered: %s", text, rig->lines[place].text);
		if (rig->ended || now_ms() > deadline)
			fail_msg("the rig %s: \"%s\"", rig->ended ? "has ended" : "does not answer", text);
		from = rig->count;
		listen_for(rig, 20);
	}
}

double rig_do(struct rig *rig, const char *format, ...)
{
	char text[COMMAND_MAX];
	va_list arguments;
	size_t answer;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	assert_in_range(length, 1, sizeof(text) - 1);
	answer = command(rig, text);
	return rig->lines[answer].time;
}

/* ---- the console ---- */

/* What the console says from the line `from` on must have one of these. Returns its place. */
static size_t console_says(struct rig *rig, size_t from, const char *text)
{
	int64_t deadline = deadline_in(TYPE_SECONDS * 1000);

	for (;;) {
		size_t place = await(rig, from, rig->is_virtual ? 0 : now_ms() + 20, text);

		if (place != NOT_FOUND)
			return place;
		place = find(rig, from, "console error:");
		if (place != NOT_FOUND)
			fail_msg("in place of \"%s\": %s", text, rig->lines[place].text);
		if (now_ms() > deadline)
			fail_msg("no \"%s\"", text);
		if (rig->is_virtual && await(rig, command(rig, VIRTUAL_STEP), deadline, "ran") == NOT_FOUND)
			fail_msg("%s does not end", VIRTUAL_STEP);
	}
}

void rig_type(struct rig *rig, const char *format, ...)
{
	char text[COMMAND_MAX - 8], line[COMMAND_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(line, sizeof(line), "type %s", text);
	console_says(rig, command(rig, line), "console ok");
}

void rig_provision(struct rig *rig, const struct house *house, const char *location, const char *device,
                   const char *secret, const char *more)
{
	char *list = strdup(more == NULL ? "" : more), *rest = NULL;

	assert_non_null(list);
	rig_type(rig, "set ssid home");
	rig_type(rig, "set key hearthhearth");
	rig_type(rig, "set broker 127.0.0.1");
	rig_type(rig, "set port %d", house->port);
	rig_type(rig, "set location %s", location);
	rig_type(rig, "set device %s", device);
	if (secret != NULL && secret[0] != '\0')
		rig_type(rig, "set secret %s", secret);
	for (char *item = strtok_r(list, ";", &rest); item != NULL; item = strtok_r(NULL, ";", &rest))
		rig_type(rig, "set %s", item);
	free(list);
	rig_type(rig, "save");
}

/* ---- the process ---- */

static const char *from_environment(const char *name, const char *usual)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? usual : value;
}

/* In the child: nothing but what may be called after fork, and exec. */
static void become_rig(char *const arguments[], int in, int out, pid_t parent)
{
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	execv(arguments[0], arguments);
	dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
	_exit(127);
}

static void launch(struct rig *rig, char *const arguments[])
{
	int commands[2], told[2];
	pid_t parent = getpid();

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, commands), 0);
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	fcntl(told[1], F_SETPIPE_SZ, TOLD_AT_ONCE);
	rig->pid = fork();
	assert_true(rig->pid >= 0);
	if (rig->pid == 0)
		become_rig(arguments, commands[1], told[1], parent);
	close(commands[1]);
	close(told[1]);
	rig->to = commands[0];
	rig->from = told[0];
}

/* "build/firmware/hearth.elf" → "build/firmware/hearth.sym". */
static void symbols_of(const char *elf, char symbols[static PATH_MAX])
{
	const char *dot = strrchr(elf, '.');

	assert_non_null(dot);
	snprintf(symbols, PATH_MAX, "%.*s.sym", (int)(dot - elf), elf);
}

struct rig *rig_start(const char *options)
{
	const char *elf = from_environment("HEARTH_FIRMWARE", "build/firmware/hearth.elf");
	const char *program = from_environment("HEARTH_RIG", "build/test/sim/rig");
	const char *temporary = from_environment("TMPDIR", "/tmp");
	char symbols[PATH_MAX], *list = strdup(options == NULL ? "" : options), *rest = NULL;
	struct rig *rig = calloc(1, sizeof(*rig));
	const char *arguments[ARGUMENTS_MAX] = {program, "--elf", elf, "--symbols", symbols, "--eeprom"};
	size_t count = 6;

	assert_non_null(rig);
	assert_non_null(list);
	symbols_of(elf, symbols);
	snprintf(rig->folder, sizeof(rig->folder), "%s/hearth-rig-XXXXXX", strlen(temporary) > 40 ? "/tmp" : temporary);
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->eeprom, sizeof(rig->eeprom), "%s/eeprom", rig->folder);
	arguments[count++] = rig->eeprom;
	for (char *item = strtok_r(list, " ", &rest); item != NULL; item = strtok_r(NULL, " ", &rest)) {
		assert_true(count < ARGUMENTS_MAX - 1);
		rig->is_virtual = rig->is_virtual || strcmp(item, "--virtual") == 0;
		arguments[count++] = item;
	}
	launch(rig, (char *const *)arguments);
	free(list);
	rig->next = rigs;
	rigs = rig;
	/* What is typed before its console listens is lost. */
	console_says(rig, 0, "console > ");
	return rig;
}

static void forget(struct rig *rig)
{
	struct rig **link = &rigs;

	while (*link != rig)
		link = &(*link)->next;
	*link = rig->next;
	close(rig->to);
	close(rig->from);
	remove(rig->eeprom);
	remove(rig->folder);
	free(rig->lines);
	free(rig);
}

void rig_free(struct rig *rig)
{
	int64_t deadline = deadline_in(QUIT_MS);
	int status = 0;

	/* The end of its commands is its end. */
	shutdown(rig->to, SHUT_WR);
	while (waitpid(rig->pid, &status, WNOHANG) == 0) {
		if (now_ms() > deadline)
			fail_msg("the rig still runs after %d ms", QUIT_MS);
		listen_for(rig, 20);
	}
	rig->pid = 0;
	if (status != 0)
		fail_msg("the rig ended with wait status %#x", (unsigned)status);
	forget(rig);
}

static bool tells_something(const struct rig_line *line)
{
	return !begins(line, "input run ") && !begins(line, "keepalive ") && !begins(line, "ran");
}

/* All but how virtual time passed. */
static void print_last_lines(const struct rig *rig)
{
	size_t first = rig->count, lines = 0;

	while (first > 0 && lines < LAST_LINES)
		lines += tells_something(&rig->lines[--first]);
	for (size_t i = first; i < rig->count; i++)
		if (tells_something(&rig->lines[i]))
			print_message("rig %f %s\n", rig->lines[i].time, rig->lines[i].text);
}

int rig_teardown(void **state)
{
	(void)state;
	while (rigs != NULL) {
		struct rig *rig = rigs;

		if (rig->pid > 0) {
			listen_for(rig, 0);
			kill(rig->pid, SIGKILL);
			waitpid(rig->pid, NULL, 0);
		}
		print_last_lines(rig);
		forget(rig);
	}
	return 0;
}
