/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_password: see ctrl_password.h.
 */
#include "ctrl_password.h"

#include "ctrl_text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

void ctrl_password_generate(char out[static CTRL_PASSWORD_GENERATED])
{
	uint8_t random[20];
	char *to = out;

	if (getrandom(random, sizeof random, 0) != sizeof random) {
		fputs("hearth: the system has no random numbers\n", stderr);
		exit(CTRL_FILE);
	}
	for (size_t i = 0; i < sizeof random; i++) {
		if (i > 0 && i % 5 == 0)
			*to++ = '-';
		*to++ = CTRL_PASSWORD_ALPHABET[random[i] % 32];
	}
	*to = '\0';
	explicit_bzero(random, sizeof random);
}

int ctrl_password_from_file(struct ctrl_call *call, const char *path, char **out)
{
	char line[CTRL_PASSWORD_MAX + 3];
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	size_t len;
	bool read;

	*out = NULL;
	if (!file)
		return ctrl_fail(call, CTRL_FILE, "%s: %s", path, strerror(errno));
	/* Nothing of it is to stay in a buffer of the library. */
	setvbuf(file, NULL, _IONBF, 0);
	read = fgets(line, sizeof line, file) != NULL;
	if (file != stdin)
		fclose(file);
	len = read ? strcspn(line, "\r\n") : 0;
	line[len] = '\0';
	if (len > 0 && len <= CTRL_PASSWORD_MAX)
		*out = ctrl_must(strdup(line));
	explicit_bzero(line, sizeof line);
	if (!*out)
		return ctrl_fail(call, CTRL_FILE, "%s: wanted a password of 1 to %d bytes in the first line", path,
		                 CTRL_PASSWORD_MAX);
	return CTRL_OK;
}

/* ---- the terminal ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	interrupted = signal;
}

/* Reads a line. False: it was ended by a signal or the end of the input. */
static bool read_line(int terminal, char line[static CTRL_PASSWORD_MAX + 2])
{
	size_t len = 0;
	char byte;

	while (!interrupted && read(terminal, &byte, 1) == 1) {
		if (byte == '\n') {
			line[len] = '\0';
			return true;
		}
		if (len <= CTRL_PASSWORD_MAX)
			line[len++] = byte;
	}
	explicit_bzero(line, len);
	return false;
}

/* Asks without echo. A signal that would end the program ends it, after the echo is there again. */
static bool ask(int terminal, const char *prompt, char line[static CTRL_PASSWORD_MAX + 2])
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction catch = {.sa_handler = on_signal}, before[sizeof signals / sizeof *signals];
	struct termios shown, hidden;
	sigset_t stop, mask;
	char *clean = ctrl_text_clean(prompt);
	bool done;

	interrupted = 0;
	/* A stop would leave the shell without an echo. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_BLOCK, &stop, &mask);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &catch, &before[i]);
	tcgetattr(terminal, &shown);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(terminal, TCSAFLUSH, &hidden);
	dprintf(terminal, "%s: ", clean);
	done = read_line(terminal, line);
	tcsetattr(terminal, TCSAFLUSH, &shown);
	dprintf(terminal, "\n");
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &before[i], NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	free(clean);
	if (interrupted)
		raise(interrupted);
	return done;
}

/* Asks once, or twice until both are the same. */
static int ask_terminal(struct ctrl_call *call, int terminal, const char *prompt, bool twice, char **out)
{
	char first[CTRL_PASSWORD_MAX + 2], second[CTRL_PASSWORD_MAX + 2] = "";
	int status = CTRL_OK;

	if (!ask(terminal, prompt, first) || (twice && !ask(terminal, "The same again", second)))
		status = ctrl_fail(call, CTRL_USAGE, "no password was typed");
	else if (twice && strcmp(first, second) != 0)
		status = ctrl_fail(call, CTRL_USAGE, "the two passwords differ; nothing was changed");
	else if (*first == '\0' || strlen(first) > CTRL_PASSWORD_MAX)
		status = ctrl_fail(call, CTRL_USAGE, "wanted a password of 1 to %d bytes", CTRL_PASSWORD_MAX);
	else
		*out = ctrl_must(strdup(first));
	explicit_bzero(first, sizeof first);
	explicit_bzero(second, sizeof second);
	return status;
}

int ctrl_password_sign_in(struct ctrl_call *call)
{
	struct ctrl_connection *connection = &call->connection;
	const char *environment = getenv("HEARTH_PASSWORD");
	char prompt[300];
	int terminal, status;

	if (!connection->username || connection->password)
		return CTRL_OK;
	if (connection->password_file) {
		status = ctrl_password_from_file(call, connection->password_file, &call->sign_in);
		connection->password = call->sign_in;
		return status;
	}
	if (environment) {
		connection->password = environment;
		return CTRL_OK;
	}
	terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	/* Without a terminal it may still be a certificate that signs in. */
	if (terminal < 0 && connection->certfile)
		return CTRL_OK;
	if (terminal < 0)
		return ctrl_fail(
			call, CTRL_USAGE,
			"no password for %s: wanted HEARTH_PASSWORD, --password-file FILE, -P, or a terminal to ask on",
			connection->username);
	snprintf(prompt, sizeof prompt, "Password for %s", connection->username);
	status = ask_terminal(call, terminal, prompt, false, &call->sign_in);
	close(terminal);
	connection->password = call->sign_in;
	return status;
}

int ctrl_password_new(struct ctrl_call *call, const char *file_option, const char *whose, bool may_generate, char **out,
                      bool *generated)
{
	const char *path = ctrl_value(call, file_option);
	char prompt[300];
	int terminal = -1, status;

	*out = NULL;
	*generated = false;
	if (path && ctrl_value(call, "generate"))
		return ctrl_fail(call, CTRL_USAGE, "--%s and --generate: wanted one of them", file_option);
	if (path)
		return ctrl_password_from_file(call, path, out);
	if (!ctrl_value(call, "generate"))
		terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (terminal < 0 && !may_generate && !ctrl_value(call, "generate"))
		return ctrl_fail(call, CTRL_USAGE,
		                 "no new password for %s: wanted --%s FILE, --generate, or a terminal to ask on", whose,
		                 file_option);
	if (terminal < 0) {
		*out = ctrl_must(calloc(1, CTRL_PASSWORD_GENERATED));
		ctrl_password_generate(*out);
		*generated = true;
		return CTRL_OK;
	}
	snprintf(prompt, sizeof prompt, "New password for %s", whose);
	status = ask_terminal(call, terminal, prompt, true, out);
	close(terminal);
	return status;
}
