/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * console: the command line on the USB wire, for people and for `provision`. Pure over uart.h.
 *
 *   > set location livingroom
 *   ok
 *   > set port 0
 *   error: wanted 1 to 65535
 *   >
 *
 * A line ends with CR or LF; one space stands between words. Each command is answered by lines of its own and then one line "ok" or
 * "error: …", and no other line begins so. Backspace takes a character away, Ctrl-C the line. A line that is too long, has control
 * characters or lost a byte on its way is refused as a whole. What is typed behind "set key " and "set secret " is echoed as "*", and
 * shown nowhere. What is set takes effect when it is saved; until then, or until a reboot, the device has no connection.
 */
#ifndef FIRMWARE_CONSOLE_H
#define FIRMWARE_CONSOLE_H

#include "settings.h"

#define CONSOLE_LINE_MAX 71 /* bytes; at least "set key " and 63 */

/* Supplied by the caller. */

/*
 * Lines "name: value"; the first is "link: online" or "link: " and what it does instead; "trouble: " and why the last connection failed,
 * if it did and there is none now. `provision` reads these two.
 */
void console_write_status(struct sink *sink);
/* Looks which WiFi networks there are: console_network for each, then console_scanned. False: not possible now. */
bool console_scan(void);
/*
 * Settings are about to change, the first time since they were loaded or saved: end the connection and use none of them
 * until console_changed. So a change takes effect as a whole, and nobody reads a text that is half another.
 */
void console_changing(void);
/* They were saved: begin anew with what they are now. */
void console_changed(void);
/* Lets the watchdog bite. */
void console_reboot(void);

/* Supplied by the console. The settings must stay. Sends nothing. */
void console_init(struct settings *settings);

/* "hearth device 0.1.0, boot 7", and the prompt. Once, at start. */
void console_banner(uint32_t boot);

/*
 * To be called in every pass of the main loop, behind whatever takes the sensors' fresh samples. Takes at most 32 bytes.
 * Returns late where much is printed (show: some 0.2 s) or saved (2 s).
 */
void console_poll(uint32_t now_ms);

/* To be called while a scan runs: a network that it found; how it ended: NULL, or in program memory why it failed. */
void console_network(const char *line);
void console_scanned(const char *trouble);

#endif
