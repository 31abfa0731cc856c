/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * console: see console.h. A command that takes time (test, scan) leaves a state behind in which nothing is read, and whoever ends
 * it prints the last line. The line buffer, always ended by a zero, is the only copy of what was typed.
 */
#include "console.h"

#include "flash.h"
#include "names.h"
#include "say.h"
#include "selftest.h"
#include "uart.h"

/* The echo of a byte takes as long as the next one needs to come: without an end, a paste would keep all else waiting. */
#define BYTES_A_POLL 32

#define CTRL_C    0x03
#define BACKSPACE 0x08
#define DELETE    0x7F

enum state { TYPING, TESTING, SCANNING };

static struct {
	struct settings *settings;
	enum state state;
	bool edited; /* settings differ from what was loaded or saved */
	bool flawed; /* the line is too long, or bytes of it were lost */
	uint8_t length;
	char line[CONSOLE_LINE_MAX + 1];
} console;

enum verb { HELP, SHOW, SET, SAVE, STATUS, TEST, SCAN, REBOOT, NO_VERB };
static const char verbs[] FLASH = "help\0show\0set\0save\0status\0test\0scan\0reboot\0";

static void prompt(void)
{
	console.state = TYPING;
	console.flawed = false;
	console.length = 0;
	console.line[0] = '\0';
	say(FLASH_TEXT("> "));
}

static void finish(void)
{
	say_line(FLASH_TEXT("ok"));
	prompt();
}

static void say_error(void)
{
	say(FLASH_TEXT("error: wanted "));
}

static void refuse(const char *wanted)
{
	say_error();
	say_line(wanted);
	prompt();
}

/* Ends the word that begins here; returns where the next one does. */
static char *cut(char *word)
{
	while (*word != '\0' && *word != ' ')
		word++;
	if (*word != '\0')
		*word++ = '\0';
	return word;
}

static void begin_edit(void)
{
	if (!console.edited)
		console_changing();
	console.edited = true;
}

static void run_set(char *name)
{
	const char *value = cut(name);

	begin_edit();
	if (settings_set(console.settings, name, value)) {
		finish();
		return;
	}
	say_error();
	settings_wanted(name);
	say_byte('\n');
	prompt();
}

static void run(uint16_t now_ms)
{
	char *rest = cut(console.line);

	switch ((enum verb)names_find(verbs, console.line)) {
	case HELP:
		for (uint8_t i = 0; i < (uint8_t)NO_VERB; i++)
			say_line(names_at(verbs, i));
		break;
	case SHOW:
		settings_show(console.settings);
		break;
	case SET:
		run_set(rest);
		return;
	case SAVE:
		settings_save(console.settings);
		console.edited = false;
		console_changed();
		break;
	case STATUS:
		console_write_status(uart_sink());
		break;
	case TEST:
		console.state = TESTING;
		selftest_start(now_ms);
		return;
	case SCAN:
		/* The connection begins anew behind a scan. */
		console.state = SCANNING;
		if (console.edited || !console_scan())
			refuse(FLASH_TEXT("save first"));
		return;
	case REBOOT:
		console_reboot();
		break;
	case NO_VERB:
		refuse(FLASH_TEXT("a command that help lists"));
		return;
	}
	finish();
}

/* Is what is typed now the value of a secret? */
static bool is_hidden(void)
{
	return strncmp_P(console.line, FLASH_TEXT("set key "), 8) == 0 ||
	       strncmp_P(console.line, FLASH_TEXT("set secret "), 11) == 0;
}

/* Takes the last character away, which may be of several bytes. */
static void erase(void)
{
	char byte;

	if (console.length == 0)
		return;
	do {
		byte = console.line[--console.length];
		console.line[console.length] = '\0';
	} while ((byte & 0xC0) == 0x80 && console.length > 0);
	say(FLASH_TEXT("\b \b"));
}

static void feed(uint8_t byte, uint16_t now_ms)
{
	if (byte == '\r' || byte == '\n') {
		say_byte('\n');
		if (console.flawed)
			refuse(FLASH_TEXT("the line again, at most 71 bytes"));
		else if (console.length == 0)
			prompt();
		else
			run(now_ms);
	} else if (byte == CTRL_C) {
		say_byte('\n');
		prompt();
	} else if (console.flawed) {
		return;
	} else if (byte == BACKSPACE || byte == DELETE) {
		erase();
	} else if (byte < ' ' || console.length == CONSOLE_LINE_MAX) {
		console.flawed = true;
	} else {
		say_byte(is_hidden() ? '*' : byte);
		console.line[console.length++] = (char)byte;
		console.line[console.length] = '\0';
	}
}

void console_init(struct settings *settings)
{
	console.settings = settings;
	console.edited = false;
}

void console_banner(uint32_t boot)
{
	say(FLASH_TEXT("\nhearth device " HEARTH_VERSION ", boot "));
	text_unsigned(uart_sink(), boot);
	say_byte('\n');
	prompt();
}

void console_poll(uint32_t now_ms)
{
	uint8_t byte;

	if (console.state == TESTING && selftest_poll(now_ms))
		finish();
	for (uint8_t i = 0; i < BYTES_A_POLL && console.state == TYPING && uart_read(&byte); i++)
		feed(byte, (uint16_t)now_ms);
}

void console_network(const char *line)
{
	text_string(uart_sink(), line);
	say_byte('\n');
}

void console_scanned(const char *trouble)
{
	if (trouble != NULL) {
		say(FLASH_TEXT("error: "));
		say_line(trouble);
		prompt();
	} else {
		finish();
	}
}
