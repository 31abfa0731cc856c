/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * console: simavr's UART has a queue of 64 and gives its bytes out at the wire's speed; it gets a few each slice.
 *
 * A pseudo-terminal's master is told "hung up" as long as nobody has opened the other end: the end of that is the DTR pulse.
 */
#include "console.h"

#include "bytes.h"
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <simavr/avr_uart.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* 115200 baud are 5.76 bytes each 0.5 ms. */
#define BYTES_EACH_SLICE 5
#define PARTIAL_AFTER_US 50000

struct console {
	struct board *board;
	struct avr_irq_t *input;
	bool full; /* the UART's queue */
	char line[512];
	size_t length;
	uint64_t last; /* byte that came */
	struct bytes typed;
	uint8_t typed_array[8192];
	const char *link;
	int pty;
	bool opened;
};

static void tell(struct console *console)
{
	console->line[console->length] = '\0';
	events_tell("console %s", console->line);
	console->length = 0;
}

static void came(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
	struct console *console = parameter;
	const char byte = (char)value;

	(void)irq;
	if (console->pty >= 0 && console->opened && write(console->pty, &byte, 1) < 0)
		console->opened = false;
	console->last = board_us(console->board);
	if (byte == '\n') {
		tell(console);
		return;
	}
	if (byte == '\r')
		return;
	console->line[console->length++] = byte;
	if (console->length == sizeof console->line - 1)
		tell(console);
}

static void was_filled(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
	(void)irq;
	if (value)
		((struct console *)parameter)->full = true;
}

static void was_emptied(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
	(void)irq;
	if (value)
		((struct console *)parameter)->full = false;
}

static void was_reset(void *context)
{
	struct console *console = context;

	console->full = false;
	if (console->length)
		tell(console);
	if (!board_powered(console->board))
		bytes_clear(&console->typed);
}

static bool open_pty(struct console *console)
{
	struct termios raw;
	const char *name;
	int slave = -1;

	console->pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (console->pty < 0 || grantpt(console->pty) || unlockpt(console->pty))
		return false;
	name = ptsname(console->pty);
	/* Opened once, so that it is "hung up" from now on; its settings stay. */
	if (name)
		slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return false;
	if (tcgetattr(slave, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(slave, TCSANOW, &raw);
	}
	close(slave);
	if (unlink(console->link) && errno != ENOENT)
		return false;
	return symlink(name, console->link) == 0;
}

struct console *console_new(struct board *board, const char *link)
{
	struct console *console = calloc(1, sizeof *console);
	struct avr_t *avr = board_avr(board);
	uint32_t flags = 0;

	if (!console)
		return NULL;
	console->board = board;
	console->link = link;
	console->pty = -1;
	bytes_init(&console->typed, console->typed_array, sizeof console->typed_array);
	/* It would sleep for real, and write to our output. */
	avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
	console->input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
	avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), came, console);
	avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), was_filled, console);
	avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), was_emptied, console);
	board_on_reset(board, was_reset, console);
	if (link && !open_pty(console)) {
		fprintf(stderr, "rig: %s: %s\n", link, strerror(errno));
		console->link = NULL;
		console_free(console);
		return NULL;
	}
	return console;
}

void console_free(struct console *console)
{
	if (!console)
		return;
	if (console->link)
		unlink(console->link);
	if (console->pty >= 0)
		close(console->pty);
	free(console);
}

bool console_type(struct console *console, const char *text, size_t length)
{
	if (bytes_room(&console->typed) < length)
		return false;
	for (size_t i = 0; i < length; i++)
		bytes_put(&console->typed, (uint8_t)text[i]);
	return true;
}

static void poll_pty(struct console *console)
{
	struct pollfd look = {.fd = console->pty, .events = POLLIN};
	char text[256];
	ssize_t length;

	if (poll(&look, 1, 0) < 0)
		return;
	if (look.revents & POLLHUP) {
		console->opened = false;
	} else if (!console->opened) {
		console->opened = true;
		board_reset(console->board, BOARD_RESET_EXTERNAL);
	}
	if (!(look.revents & POLLIN) || bytes_room(&console->typed) < sizeof text)
		return;
	length = read(console->pty, text, sizeof text);
	if (length > 0)
		console_type(console, text, (size_t)length);
}

void console_poll(struct console *console)
{
	uint8_t byte;

	if (console->pty >= 0)
		poll_pty(console);
	for (unsigned i = 0; i < BYTES_EACH_SLICE && !console->full && bytes_get(&console->typed, &byte); i++)
		avr_raise_irq(console->input, byte);
	if (console->length && board_us(console->board) - console->last >= PARTIAL_AFTER_US)
		tell(console);
}
