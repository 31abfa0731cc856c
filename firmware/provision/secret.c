/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * secret: see secret.h.
 */
#include "secret.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PREFIX   "hearth-"
#define TEXT_MAX 65536 /* of what is read from a pipe */

bool secret_from_environment(const char *name, char secret[static SECRET_MAX])
{
	const char *value = getenv(name);
	size_t length = value ? strlen(value) : 0;

	if (!value)
		return false;
	if (length >= SECRET_MAX) {
		fprintf(stderr, "provision: %s is too long: wanted at most %d bytes\n", name, SECRET_MAX - 1);
		return false;
	}
	memcpy(secret, value, length + 1);
	unsetenv(name);
	return true;
}

/* ---- the terminal ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* True: a whole line that fits. */
static bool read_line(int terminal, char secret[static SECRET_MAX])
{
	size_t length = 0;
	char byte;

	while (!interrupted && read(terminal, &byte, 1) == 1) {
		if (byte == '\n') {
			secret[length < SECRET_MAX ? length : 0] = '\0';
			return length < SECRET_MAX;
		}
		if (length < SECRET_MAX)
			secret[length++] = byte;
	}
	return false;
}

bool secret_ask(const char *question, char secret[static SECRET_MAX])
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	enum { SIGNALS = sizeof signals / sizeof *signals };
	struct sigaction catch = {.sa_handler = on_signal}, before[SIGNALS];
	struct termios shown, hidden;
	int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	bool answered;

	if (terminal < 0)
		return false;
	/* Whatever ends the program, the shell gets its echo back first. */
	interrupted = 0;
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &catch, &before[i]);
	tcgetattr(terminal, &shown);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(terminal, TCSAFLUSH, &hidden);
	dprintf(terminal, "%s: ", question);
	answered = read_line(terminal, secret);
	tcsetattr(terminal, TCSAFLUSH, &shown);
	dprintf(terminal, "\n");
	close(terminal);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
	if (interrupted)
		raise(interrupted);
	if (!answered)
		fprintf(stderr, "provision: no answer, or more than %d bytes\n", SECRET_MAX - 1);
	return answered;
}

/* ---- a pipe ---- */

static bool is_base32(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
}

/* What may stand beside a token only if it is part of a longer word. */
static bool is_of_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool is_token(const char *text, const char *at)
{
	if (at > text && is_of_word(at[-1]))
		return false;
	for (size_t i = sizeof PREFIX - 1; i < SECRET_TOKEN; i++)
		if (!is_base32(at[i]))
			return false;
	return !is_of_word(at[SECRET_TOKEN]);
}

bool secret_find(FILE *in, char secret[static SECRET_MAX])
{
	static char text[TEXT_MAX + 1];
	const char *trouble = NULL;
	size_t length, found = 0;

	/* Nothing of it is to stay in a buffer of the library. */
	setvbuf(in, NULL, _IONBF, 0);
	length = fread(text, 1, TEXT_MAX, in);
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	text[length] = '\0';
	for (const char *at = strstr(text, PREFIX); at; at = strstr(at + 1, PREFIX)) {
		if (!is_token(text, at))
			continue;
		if (found++ > 0 && strncmp(secret, at, SECRET_TOKEN) != 0)
			trouble = "more than one secret on standard input";
		memcpy(secret, at, SECRET_TOKEN);
		secret[SECRET_TOKEN] = '\0';
	}
	explicit_bzero(text, sizeof text);
	if (length == 0)
		trouble = "nothing on standard input; did `mosquitto_ctrl hearth device add` fail?";
	else if (found == 0)
		trouble = "no device secret (hearth-…) on standard input";
	if (trouble)
		fprintf(stderr, "provision: %s\n", trouble);
	return !trouble;
}
