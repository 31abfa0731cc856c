/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * serial: see serial.h. A line is what stands between two LF, without what is not printable, and without the prompt: so an echo stands
 * there as it was typed, and can be told from an answer, for no command begins with "ok" or "error: ".
 */
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PROMPT "> "
#define BANNER "hearth device "

#define LOST     "the line again"
#define ATTEMPTS 3
#define QUIET_MS 2000 /* the boot loader's time */
#define ASK_MS   1000 /* between two Ctrl-C */
#define PIECE    8    /* half of what the device's buffer holds */
#define ECHO_MS  100  /* an echo that comes later than this is not waited for */

int64_t serial_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *advice(int error)
{
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return ": is the board plugged in? Ports are /dev/ttyUSB* and /dev/ttyACM*";
	case EACCES:
		return ": wanted: a user of the group dialout (sudo adduser $USER dialout, then sign in anew)";
	case EBUSY:
		return ": another program has it open";
	case ENOTTY:
		return ": it is no serial port";
	default:
		return "";
	}
}

bool serial_open(struct serial *serial, const char *path)
{
	struct termios raw;

	*serial = (struct serial){.fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
	if (serial->fd < 0 || tcgetattr(serial->fd, &raw) != 0)
		goto failed;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL | CREAD;
	raw.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS | HUPCL);
	cfsetspeed(&raw, B115200);
	if (tcsetattr(serial->fd, TCSANOW, &raw) != 0 || ioctl(serial->fd, TIOCEXCL) != 0)
		goto failed;
	return true;
failed:
	fprintf(stderr, "provision: %s: %s%s\n", path, strerror(errno), advice(errno));
	serial_close(serial);
	return false;
}

void serial_close(struct serial *serial)
{
	if (serial->fd >= 0)
		close(serial->fd);
	serial->fd = -1;
}

/* False: not until then, or the port is gone. */
static bool wait_for(struct serial *serial, short what, int64_t deadline)
{
	struct pollfd fd = {.fd = serial->fd, .events = what};
	int64_t left = deadline - serial_now();

	if (poll(&fd, 1, left > 0 ? (int)left : 0) <= 0)
		return false;
	serial->gone = (fd.revents & what) == 0;
	return !serial->gone;
}

static void write_all(struct serial *serial, const char *bytes, size_t length, int64_t deadline)
{
	while (length > 0 && wait_for(serial, POLLOUT, deadline)) {
		ssize_t written = write(serial->fd, bytes, length);

		if (written <= 0)
			return;
		bytes += written;
		length -= (size_t)written;
	}
}

static void start_line(struct serial *serial)
{
	serial->length = 0;
	serial->line[0] = '\0';
}

enum reading { NOTHING, BYTE, LINE, PROMPTED };

/* Reads one byte. LINE: `line` is whole, and start_line is to follow. PROMPTED: the device waits for a command. */
static enum reading read_byte(struct serial *serial, int64_t deadline)
{
	char byte;

	if (!wait_for(serial, POLLIN, deadline))
		return NOTHING;
	if (read(serial->fd, &byte, 1) != 1) {
		serial->gone = true;
		return NOTHING;
	}
	serial->received++;
	if (byte == '\n')
		return LINE;
	if ((unsigned char)byte < 0x20 || byte == 0x7F || serial->length + 1 == sizeof serial->line)
		return BYTE;
	serial->line[serial->length++] = byte;
	serial->line[serial->length] = '\0';
	if (strcmp(serial->line, PROMPT) != 0)
		return BYTE;
	start_line(serial);
	return PROMPTED;
}

bool serial_wait_prompt(struct serial *serial, char banner[static SERIAL_LINE_MAX], int64_t deadline)
{
	int64_t ask = serial_now() + QUIET_MS;

	start_line(serial);
	banner[0] = '\0';
	while (!serial->gone && serial_now() < deadline) {
		switch (read_byte(serial, ask < deadline ? ask : deadline)) {
		case LINE:
			if (strncmp(serial->line, BANNER, sizeof BANNER - 1) == 0)
				memcpy(banner, serial->line, sizeof serial->line);
			start_line(serial);
			break;
		case PROMPTED:
			return true;
		case NOTHING:
			if (serial_now() >= ask) {
				write_all(serial, "\x03", 1, deadline);
				ask = serial_now() + ASK_MS;
			}
			break;
		case BYTE:
			break;
		}
	}
	return false;
}

/* Waits until so many bytes have come in all, or the device is taken not to echo. Lines meanwhile can only be the device's own. */
static void wait_echo(struct serial *serial, size_t received)
{
	int64_t deadline = serial_now() + ECHO_MS;

	while (serial->received < received) {
		enum reading reading = read_byte(serial, deadline);

		if (reading == NOTHING)
			return;
		if (reading == LINE)
			start_line(serial);
	}
}

static enum serial_answer attempt(struct serial *serial, const char *command, int64_t deadline,
                                  void (*heard)(void *context, const char *line), void *context)
{
	size_t length = strlen(command);
	enum reading reading;

	start_line(serial);
	for (size_t at = 0; at < length; at += PIECE) {
		size_t piece = length - at < PIECE ? length - at : PIECE, before = serial->received;

		write_all(serial, command + at, piece, deadline);
		wait_echo(serial, before + piece);
	}
	write_all(serial, "\r", 1, deadline);
	while ((reading = read_byte(serial, deadline)) != NOTHING) {
		if (reading != LINE)
			continue;
		if (strcmp(serial->line, "ok") == 0)
			return SERIAL_OK;
		if (strncmp(serial->line, SERIAL_ERROR_TEXT, sizeof SERIAL_ERROR_TEXT - 1) == 0)
			return SERIAL_ERROR;
		if (heard)
			heard(context, serial->line);
		start_line(serial);
	}
	return SERIAL_NONE;
}

enum serial_answer serial_command(struct serial *serial, const char *command, int patience_ms,
                                  void (*heard)(void *context, const char *line), void *context)
{
	enum serial_answer answer = attempt(serial, command, serial_now() + patience_ms, heard, context);

	/* A byte was lost on its way, perhaps the CR itself: the line is taken back and typed again. */
	for (int again = 1; again < ATTEMPTS && !serial->gone; again++) {
		if (answer == SERIAL_OK || (answer == SERIAL_ERROR && !strstr(serial->line, LOST)))
			break;
		write_all(serial, "\x03", 1, serial_now() + patience_ms);
		answer = attempt(serial, command, serial_now() + patience_ms, heard, context);
	}
	return answer;
}
