/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * console: see console.h. A row per command; one that takes time (test, scan) leaves a state behind in which nothing is read, and the
 * poll that ends it prints the last line. The line buffer is the only copy of what was typed.
 */
#include "console.h"

#include "clock.h"
#include "flash.h"
#include "selftest.h"
#include "uart.h"

#define BYTES_A_POLL 32

/* Longer than any scan; a module that says nothing ends it sooner. */
#define SCAN_MAX_MS 60000UL

#define CTRL_C    0x03
#define BACKSPACE 0x08
#define CTRL_U    0x15
#define DELETE    0x7F

enum state { TYPING, TESTING, SCANNING };
/* What is wrong with the line being typed. */
enum flaw { FLAWLESS, TOO_LONG, DAMAGED };

static struct {
	struct settings *settings;
	uint32_t since; /* the last command began */
	uint8_t state, flaw;
	uint8_t length;
	bool edited; /* settings differ from what was loaded or saved */
	char line[CONSOLE_LINE_MAX + 1];
} console;

static void say(const char *text)
{
	text_flash(uart_sink(), text);
}

static void prompt(void)
{
	console.length = 0;
	console.flaw = FLAWLESS;
	say(FLASH_TEXT("> "));
}

/* ---- ends of a command; in program memory */

static void finish(void)
{
	console.state = TYPING;
	say(FLASH_TEXT("ok\n"));
	prompt();
}

static void refuse(const char *why)
{
	console.state = TYPING;
	say(FLASH_TEXT("error: "));
	say(why);
	text_put(uart_sink(), '\n');
	prompt();
}

/* ---- the line: words are apart by one or more spaces */

static uint8_t skip_spaces(uint8_t at)
{
	while (at < console.length && console.line[at] == ' ')
		at++;
	return at;
}

static uint8_t word_end(uint8_t at)
{
	while (at < console.length && console.line[at] != ' ')
		at++;
	return at;
}

static bool word_is(uint8_t from, uint8_t end, const char *word)
{
	uint8_t length = (uint8_t)(end - from);

	return strlen_P(word) == length && strncmp_P(console.line + from, word, length) == 0;
}

/* Where the value of "set NAME VALUE" begins, and where its name does; the line's length: there is no value. */
static uint8_t value_at(uint8_t *name, uint8_t *name_end)
{
	*name = skip_spaces(word_end(skip_spaces(0)));
	*name_end = word_end(*name);
	return *name_end < console.length ? (uint8_t)(*name_end + 1) : console.length;
}

/* From here on nothing is shown. */
static uint8_t hidden_from(void)
{
	uint8_t name, name_end, verb = skip_spaces(0);
	uint8_t value = value_at(&name, &name_end);

	if (!word_is(verb, word_end(verb), FLASH_TEXT("set")))
		return console.length;
	if (word_is(name, name_end, FLASH_TEXT("key")) || word_is(name, name_end, FLASH_TEXT("secret")))
		return value;
	return console.length;
}

static void show_from(uint8_t at)
{
	uint8_t hidden = hidden_from();

	for (; at < console.length; at++)
		text_put(uart_sink(), at < hidden ? (uint8_t)console.line[at] : '*');
}

/* Takes the last character away, which may be of several bytes, and writes the line anew. */
static void erase(void)
{
	if (console.length == 0 || console.flaw != FLAWLESS)
		return;
	do {
		console.length--;
	} while (console.length > 0 && (console.line[console.length] & 0xC0) == 0x80);
	say(FLASH_TEXT("\r\033[K> "));
	show_from(0);
}

/* ---- commands */

static void run_help(uint32_t now_ms);

static void run_show(uint32_t now_ms)
{
	(void)now_ms;
	settings_show(console.settings, uart_sink());
	finish();
}

static void begin_edit(void)
{
	if (console.edited)
		return;
	console.edited = true;
	console_changing();
}

static void run_set(uint32_t now_ms)
{
	uint8_t name, name_end, value = value_at(&name, &name_end);

	(void)now_ms;
	console.line[name_end] = '\0';
	begin_edit();
	if (settings_set(console.settings, console.line + name, console.line + value)) {
		finish();
		return;
	}
	say(FLASH_TEXT("error: wanted "));
	settings_wanted(console.line + name, uart_sink());
	text_put(uart_sink(), '\n');
	prompt();
}

static void say_missing(void)
{
	const char *missing = settings_missing(console.settings);

	if (!missing)
		return;
	say(FLASH_TEXT("still to be set: "));
	say(missing);
	text_put(uart_sink(), '\n');
}

static void end_edit(void)
{
	console.edited = false;
	console_changed();
}

static void run_save(uint32_t now_ms)
{
	(void)now_ms;
	settings_save(console.settings);
	say_missing();
	end_edit();
	finish();
}

static void run_defaults(uint32_t now_ms)
{
	(void)now_ms;
	begin_edit();
	settings_default(console.settings);
	finish();
}

static void run_status(uint32_t now_ms)
{
	(void)now_ms;
	console_write_status(uart_sink());
	finish();
}

static void run_test(uint32_t now_ms)
{
	console.state = TESTING;
	selftest_start(now_ms);
}

static void run_scan(uint32_t now_ms)
{
	(void)now_ms;
	/* The connection begins anew behind a scan. */
	if (console.edited) {
		refuse(FLASH_TEXT("wanted save first"));
		return;
	}
	console.state = SCANNING;
	if (!console_scan())
		refuse(FLASH_TEXT("the WiFi module is busy; wanted a moment"));
}

static void run_reboot(uint32_t now_ms)
{
	(void)now_ms;
	finish();
	console_reboot();
}

struct command {
	char name[9];
	char help[17];
	void (*run)(uint32_t now_ms);
};

static const struct command commands[] FLASH = {
	{"help", "", run_help},
	{"show", "", run_show},
	{"set", "NAME VALUE", run_set},
	{"save", "takes effect", run_save},
	{"defaults", "", run_defaults},
	{"status", "", run_status},
	{"test", "outputs, sensors", run_test},
	{"scan", "WiFi networks", run_scan},
	{"reboot", "", run_reboot},
};

#define COMMAND_COUNT ((uint8_t)(sizeof commands / sizeof *commands))

static void run_help(uint32_t now_ms)
{
	(void)now_ms;
	for (uint8_t i = 0; i < COMMAND_COUNT; i++) {
		say(commands[i].name);
		text_put(uart_sink(), ' ');
		say(commands[i].help);
		text_put(uart_sink(), '\n');
	}
	finish();
}

static void run_line(uint32_t now_ms)
{
	uint8_t from = skip_spaces(0), end = word_end(from);
	void (*run)(uint32_t now_ms);

	text_put(uart_sink(), '\n');
	if (console.flaw == TOO_LONG) {
		refuse(FLASH_TEXT("wanted at most 79 bytes"));
		return;
	}
	if (console.flaw == DAMAGED) {
		refuse(FLASH_TEXT("characters were lost; wanted the line again"));
		return;
	}
	if (from == console.length) {
		prompt();
		return;
	}
	console.line[console.length] = '\0';
	console.since = now_ms;
	for (uint8_t i = 0; i < COMMAND_COUNT; i++) {
		if (!word_is(from, end, commands[i].name))
			continue;
		memcpy_P(&run, &commands[i].run, sizeof run);
		run(now_ms);
		return;
	}
	refuse(FLASH_TEXT("wanted a command that help lists"));
}

/* ---- bytes */

static void take(uint8_t byte)
{
	if (console.flaw != FLAWLESS)
		return;
	if (byte < 0x20) {
		console.flaw = DAMAGED;
	} else if (console.length == CONSOLE_LINE_MAX) {
		console.flaw = TOO_LONG;
	} else {
		console.line[console.length++] = (char)byte;
		show_from((uint8_t)(console.length - 1));
	}
}

static void feed(uint8_t byte, uint32_t now_ms)
{
	switch (byte) {
	case '\r':
	case '\n':
		run_line(now_ms);
		break;
	case BACKSPACE:
	case DELETE:
		erase();
		break;
	case CTRL_C:
	case CTRL_U:
		text_put(uart_sink(), '\n');
		prompt();
		break;
	default:
		take(byte);
	}
}

/* Whoever set something and went away without saving it left the device without a connection. */
static void drop_changes(void)
{
	settings_load(console.settings);
	say(FLASH_TEXT("\nnot saved, dropped\n"));
	end_edit();
	prompt();
}

void console_init(struct settings *settings)
{
	memset(&console, 0, sizeof console);
	console.settings = settings;
}

void console_banner(uint32_t boot)
{
	struct sink *sink = uart_sink();

	say(FLASH_TEXT("\nhearth device " HEARTH_VERSION ", "));
	text_string(sink, console.settings->location);
	text_put(sink, '/');
	text_string(sink, console.settings->device);
	say(FLASH_TEXT(", boot "));
	text_unsigned(sink, boot);
	text_put(sink, '\n');
	say_missing();
	prompt();
}

void console_poll(uint32_t now_ms)
{
	uint8_t byte;

	if (console.state == TESTING && selftest_poll(now_ms, uart_sink()))
		finish();
	else if (console.state == SCANNING && clock_reached(now_ms, console.since + SCAN_MAX_MS))
		refuse(FLASH_TEXT("no answer from the WiFi module"));
	else if (console.state == TYPING && console.edited && clock_reached(now_ms, console.since + CONSOLE_KEEP_MS))
		drop_changes();
	for (uint8_t i = 0; i < BYTES_A_POLL && console.state == TYPING && uart_read(&byte); i++)
		feed(byte, now_ms);
}

void console_network(const char *line)
{
	if (console.state != SCANNING)
		return;
	text_string(uart_sink(), line);
	text_put(uart_sink(), '\n');
}

void console_scanned(const char *trouble)
{
	if (console.state != SCANNING)
		return;
	if (trouble)
		refuse(trouble);
	else
		finish();
}
