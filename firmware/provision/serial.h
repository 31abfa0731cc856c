/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * serial: a serial port with a device's console behind it (../console.h): lines and answers.
 */
#ifndef PROVISION_SERIAL_H
#define PROVISION_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_ERROR_TEXT "error: "
#define SERIAL_LINE_MAX   256 /* with NUL; more of a line is dropped */

struct serial {
	int fd;
	bool gone;       /* unplugged */
	size_t received; /* bytes so far */
	size_t length;
	char line[SERIAL_LINE_MAX]; /* printable; without a prompt before it */
};

enum serial_answer { SERIAL_OK, SERIAL_ERROR, SERIAL_NONE };

/* Milliseconds of a clock that only goes on. */
int64_t serial_now(void);

/* 115200 8N1, raw, nobody else's. False: said on stderr. */
bool serial_open(struct serial *serial, const char *path);
void serial_close(struct serial *serial);

/*
 * Waits for the prompt: opening the port resets most boards, and the boot loader wants quiet first. Then asks for one
 * with Ctrl-C. `banner` takes the banner, if there was one. False: none until `deadline`.
 */
bool serial_wait_prompt(struct serial *serial, char banner[static SERIAL_LINE_MAX], int64_t deadline);

/*
 * Types a line in pieces that the device's buffer holds, each when the one before was echoed, and reads until its answer; up to three
 * times if the device lost a byte or does not answer. Lines before that go to `heard` (NULL: nobody); after SERIAL_ERROR
 * `serial->line` is that answer.
 */
enum serial_answer serial_command(struct serial *serial, const char *command, int patience_ms,
                                  void (*heard)(void *context, const char *line), void *context);

#endif
