/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* board: see board.h. The rig ends with its stdin, so whatever ends this program ends it too. */
#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMAND_MAX 256
#define END_TRIES   200
#define END_TRY_NS  10000000

/* In the child. */
static void become(int in, int out, const char *rig, const char *elf, const char *eeprom)
{
	/* A group of its own: Ctrl-C is for this program, which ends its boards in order. */
	setpgid(0, 0);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		execl(rig, rig, "--elf", elf, "--eeprom", eeprom, (char *)NULL);
	fprintf(stderr, "rooms: %s: %s\n", rig, strerror(errno));
	_exit(127);
}

bool board_start(struct board *board, const char *rig, const char *elf, const char *eeprom)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};

	*board = (struct board){.in = -1, .out = -1};
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || (board->pid = fork()) < 0)
		goto failed;
	if (board->pid == 0)
		become(in[0], out[1], rig, elf, eeprom);
	close(in[0]);
	close(out[1]);
	board->in = in[1];
	board->out = out[0];
	fcntl(board->in, F_SETFL, O_NONBLOCK);
	fcntl(board->out, F_SETFL, O_NONBLOCK);
	return true;
failed:
	for (int i = 0; i < 2; i++) {
		if (in[i] >= 0)
			close(in[i]);
		if (out[i] >= 0)
			close(out[i]);
	}
	board->pid = 0;
	return false;
}

void board_command(struct board *board, const char *format, ...)
{
	char line[COMMAND_MAX];
	va_list arguments;

	va_start(arguments, format);
	const int length = vsnprintf(line, sizeof line - 1, format, arguments);
	va_end(arguments);
	if (length > 0 && (size_t)length < sizeof line - 1 && board->in >= 0) {
		line[length] = '\n';
		if (write(board->in, line, (size_t)length + 1) < 0 && errno == EPIPE)
			board_end(board);
	}
	explicit_bzero(line, sizeof line); /* a secret may have been in it */
}

/* "12.345678 led 128" → "led 128" */
static const char *behind_time(const char *line)
{
	const char *space = strchr(line, ' ');

	return space ? space + 1 : line;
}

static void hear_lines(struct board *board, void (*hear)(void *context, const char *line), void *context)
{
	char *from = board->text, *end;

	while ((end = memchr(from, '\n', (size_t)(board->text + board->length - from)))) {
		*end = '\0';
		hear(context, behind_time(from));
		from = end + 1;
	}
	board->length -= (size_t)(from - board->text);
	memmove(board->text, from, board->length);
	if (board->length == sizeof board->text)
		board->length = 0; /* no line of the rig is so long */
}

bool board_poll(struct board *board, void (*hear)(void *context, const char *line), void *context)
{
	for (;;) {
		ssize_t got = read(board->out, board->text + board->length, sizeof board->text - board->length);
		if (got == 0)
			return false;
		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		board->length += (size_t)got;
		hear_lines(board, hear, context);
	}
}

void board_end(struct board *board)
{
	if (board->in >= 0)
		close(board->in);
	board->in = -1;
}

void board_wait(struct board *board)
{
	const struct timespec moment = {.tv_nsec = END_TRY_NS};
	int tries = 0;

	if (board->pid <= 0)
		return;
	board_end(board);
	while (waitpid(board->pid, NULL, WNOHANG) == 0) {
		if (++tries == END_TRIES)
			kill(board->pid, SIGKILL);
		nanosleep(&moment, NULL);
	}
	close(board->out);
	board->pid = 0;
}
