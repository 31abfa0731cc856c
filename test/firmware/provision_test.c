/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * provision: the real program against a pseudo-terminal, behind which the firmware's own console and settings run, with a receive buffer
 * of the device's size. HEARTH_PROVISION names the program.
 */
#include "actuators.h"
#include "console.h"
#include "eeprom_fake.h"
#include "selftest.h"
#include "sensors.h"
#include "uart.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define TOKEN        "hearth-abcdefghijklmnopqrstuvwxyz"
#define OTHER_TOKEN  "hearth-22222222222222222222222222"
#define KEY          "correct horse"
#define BUFFER       15 /* bytes that the device can hold */
#define PATIENCE_MS  20000

/* ---- the device ---- */

enum firmware { HEARTH, SILENT, STRANGER, PROMPTER };

static struct {
	enum firmware firmware;
	bool resets;      /* a banner comes by itself */
	int online_after; /* status commands; −1: never */
	int lose;         /* the so manieth byte that comes reads as 0; 0: none */
	int unplug_after; /* bytes; 0: never */
	int port, came, statuses, saves;
	bool overrun;
	size_t at, length;
	uint8_t bytes[4096];
	struct settings settings;
} device;

bool uart_read(uint8_t *byte)
{
	if (device.at == device.length)
		return false;
	*byte = device.bytes[device.at++];
	return true;
}

static void put_raw(char byte)
{
	if (device.port >= 0 && write(device.port, &byte, 1) != 1)
		fail_msg("the pseudo-terminal takes nothing");
}

static void put(struct sink *sink, uint8_t byte)
{
	(void)sink;
	if (byte == '\n')
		put_raw('\r');
	put_raw((char)byte);
}

struct sink *uart_sink(void)
{
	static struct sink sink = {put};

	return &sink;
}

void console_write_status(struct sink *sink)
{
	bool online = device.online_after >= 0 && device.statuses++ >= device.online_after;

	text_string(sink, online ? "link: online\n" : "link: joining\ntrouble: no network\n");
}

bool console_scan(void)
{
	return false;
}

void console_changing(void)
{
}

void console_reboot(void)
{
}

void console_changed(void)
{
	device.saves++;
}

/* No test is run here. */
void selftest_start(uint16_t now_ms)
{
	(void)now_ms;
}

bool selftest_poll(uint32_t now_ms)
{
	(void)now_ms;
	return true;
}

static void device_start(void)
{
	eeprom_erase();
	settings_load(&device.settings);
	console_init(&device.settings);
	if (!device.resets)
		return;
	if (device.firmware == HEARTH)
		console_banner(7);
	else if (device.firmware == STRANGER)
		text_string(uart_sink(), "Temperature: 23.5\nTemperature: 23.6\n");
	else if (device.firmware == PROMPTER)
		text_string(uart_sink(), "BASIC\n> ");
}

/* What came since the last pass of its main loop; more than its buffer holds is lost. */
static void device_pass(void)
{
	ssize_t length = read(device.port, device.bytes, sizeof device.bytes);

	device.at = 0;
	device.length = length > 0 ? (size_t)length : 0;
	if (device.length > BUFFER) {
		device.overrun = true;
		device.length = BUFFER;
		device.bytes[BUFFER - 1] = 0;
	}
	for (size_t i = 0; i < device.length; i++)
		if (++device.came == device.lose)
			device.bytes[i] = 0;
	if (device.firmware == HEARTH)
		console_poll(0);
	else if (device.firmware == PROMPTER)
		for (size_t i = 0; i < device.length; i++)
			if (device.bytes[i] == '\r')
				text_string(uart_sink(), "\n?SYNTAX\n> ");
	if (device.unplug_after > 0 && device.came >= device.unplug_after) {
		close(device.port);
		device.port = -1;
	}
}

/* ---- the program ---- */

struct run {
	const char *arguments[16]; /* behind --port */
	const char *input;         /* NULL: /dev/null */
	const char *key, *secret;  /* of the environment; NULL: not there */
	const char *terminal;      /* what is typed on its terminal; NULL: it has none */
};

static const char *program;
static int code;           /* how it ended */
static char outcome[1024]; /* its stdout */
static char told[16384];   /* its stderr */
static char asked[1024];   /* what its terminal showed */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void child(const struct run *run, const char *port, const char *terminal, int input, int output, int error)
{
	const char *arguments[20] = {program, NULL};
	size_t count = 1;

	if (port) {
		arguments[count++] = "--port";
		arguments[count++] = port;
	}
	for (size_t i = 0; run->arguments[i]; i++)
		arguments[count++] = run->arguments[i];
	arguments[count] = NULL;
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(error, STDERR_FILENO);
	setsid();
	/* The first terminal that a session's leader opens is the session's. */
	if (terminal && open(terminal, O_RDWR) < 0)
		_exit(99);
	unsetenv("HEARTH_WIFI_KEY");
	unsetenv("HEARTH_DEVICE_SECRET");
	if (run->key)
		setenv("HEARTH_WIFI_KEY", run->key, 1);
	if (run->secret)
		setenv("HEARTH_DEVICE_SECRET", run->secret, 1);
	execv(program, (char *const *)arguments);
	_exit(98);
}

static int temporary(const char *text)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	fputs(text, file);
	fflush(file);
	fd = dup(fileno(file));
	fclose(file);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void read_all(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	close(fd);
}

static void open_pair(int *master, int *slave, bool raw, char name[static 64])
{
	struct termios termios;

	assert_int_equal(openpty(master, slave, name, NULL, NULL), 0);
	fcntl(*master, F_SETFL, O_NONBLOCK);
	fcntl(*master, F_SETFD, FD_CLOEXEC);
	fcntl(*slave, F_SETFD, FD_CLOEXEC);
	if (!raw)
		return;
	tcgetattr(*slave, &termios);
	cfmakeraw(&termios);
	tcsetattr(*slave, TCSANOW, &termios);
}

/* Types when it is asked, each line to one question. */
static void serve_terminal(int master, const char **typed)
{
	size_t length = strlen(asked), line;
	ssize_t more = read(master, asked + length, sizeof asked - 1 - length);

	if (more <= 0)
		return;
	asked[length + (size_t)more] = '\0';
	if (strcmp(asked + strlen(asked) - 2, ": ") != 0 || !**typed)
		return;
	line = strcspn(*typed, "\n") + 1;
	assert_int_equal(write(master, *typed, line), line);
	*typed += line;
}

/* Plays the device until the program ends. `port` NULL: the pseudo-terminal; "": no --port. */
static void run(const struct run *run, const char *port)
{
	char name[64], terminal_name[64];
	int slave, terminal = -1, terminal_slave = -1, input, output = temporary(""), error = temporary(""), status;
	const char *typed = run->terminal;
	int64_t deadline = now_ms() + PATIENCE_MS;
	pid_t pid, ended;

	asked[0] = '\0';
	device.came = device.statuses = device.saves = 0;
	device.overrun = false;
	open_pair(&device.port, &slave, true, name);
	if (run->terminal)
		open_pair(&terminal, &terminal_slave, false, terminal_name);
	input = run->input ? temporary(run->input) : open("/dev/null", O_RDONLY | O_CLOEXEC);
	device_start();
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(run, !port ? name : *port ? port : NULL, run->terminal ? terminal_name : NULL, input, output, error);
	assert_true(pid > 0);
	do {
		struct pollfd fds[2] = {{.fd = device.port, .events = POLLIN}, {.fd = terminal, .events = POLLIN}};

		poll(fds, 2, 2);
		/* The slowest pass of the main loop is some 15 ms; characters come all the while. */
		if (fds[0].revents)
			poll(NULL, 0, 3);
		if (device.port >= 0)
			device_pass();
		if (terminal >= 0)
			serve_terminal(terminal, &typed);
		ended = waitpid(pid, &status, WNOHANG);
		if (ended == 0 && now_ms() > deadline) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			ended = -1;
		}
	} while (ended == 0);
	read_all(output, outcome, sizeof outcome);
	read_all(error, told, sizeof told);
	close(input);
	close(slave);
	if (device.port >= 0)
		close(device.port);
	if (terminal >= 0) {
		close(terminal);
		close(terminal_slave);
	}
	assert_int_equal(ended, pid);
	assert_true(WIFEXITED(status));
	code = WEXITSTATUS(status);
	/* Whatever happened, no secret was shown. */
	for (size_t i = 0; i < 4; i++) {
		static const char *const secrets[] = {KEY, TOKEN, OTHER_TOKEN, "typed secret"};

		assert_null(strstr(outcome, secrets[i]));
		assert_null(strstr(told, secrets[i]));
		assert_null(strstr(asked, secrets[i]));
	}
}

static int begin(void **state)
{
	(void)state;
	memset(&device, 0, sizeof device);
	device.resets = true;
	return 0;
}

static void expect(int expected, const char *line, const char *part)
{
	if (code != expected || strcmp(outcome, line) != 0 || !strstr(told, part))
		fail_msg("exit code %d, stdout:\n%s\nstderr:\n%s\nwanted %d, \"%s\", \"%s\"", code, outcome, told, expected,
		         line, part);
}

/* ---- tests ---- */

static const char table[] = "username  거실/uno1\nsecret    " TOKEN "\n";
static const char json[] = "{\n\t\"username\":\t\"hall/uno1\",\n\t\"secret\":\t\"" TOKEN "\"\n}\n";

#define DONE "provision: done: the device is online\n"

static void test_all(void **state)
{
	const struct run all = {{"--ssid", "our home", "--broker", "192.168.1.20", "--port-number", "1884", "--location",
	                         "거실", "--device", "uno1", "--secret-stdin", "period_s=60", "safe_led=keep"},
	                        table,
	                        KEY,
	                        NULL,
	                        NULL};
	struct settings saved;

	(void)state;
	device.online_after = 2;
	run(&all, NULL);
	expect(0, DONE, "provision: hearth device " HEARTH_VERSION ", boot 7\n");
	assert_non_null(strstr(told, "provision: joining: no network\n"));
	assert_int_equal(device.saves, 1);
	assert_int_equal(settings_load(&saved), SETTINGS_GOOD);
	assert_string_equal(saved.ssid, "our home");
	assert_string_equal(saved.key, KEY);
	assert_string_equal(saved.broker, "192.168.1.20");
	assert_string_equal(saved.location, "거실");
	assert_string_equal(saved.device, "uno1");
	assert_string_equal(saved.secret, TOKEN);
	assert_int_equal(saved.port, 1884);
	assert_int_equal(saved.period_s, 60);
	assert_false(device.overrun);
}

static void test_json(void **state)
{
	const struct run from_json = {{"--secret-stdin"}, json, NULL, NULL, NULL};

	(void)state;
	run(&from_json, NULL);
	expect(0, DONE, "provision: secret is set\n");
	assert_string_equal(device.settings.secret, TOKEN);
}

/* A board that does not reset when its port is opened, with half a line typed. */
static void test_no_reset(void **state)
{
	const struct run one = {{"--broker", "127.0.0.1"}, NULL, NULL, NULL, NULL};

	(void)state;
	device.resets = false;
	run(&one, NULL);
	expect(0, DONE, "provision: broker is set\n");
}

static void test_no_device(void **state)
{
	const struct run one = {{"--start", "1"}, NULL, KEY, NULL, NULL};

	(void)state;
	device.firmware = SILENT;
	run(&one, NULL);
	expect(1, "provision: failed: no console\n",
	       "nothing comes from the device: is Hearth's firmware on it (make flash)");
}

/* Another program, and one that has a prompt as well: neither gets a secret. */
static void test_other_firmware(void **state)
{
	const struct run one = {{"--start", "1"}, NULL, KEY, NULL, NULL};

	(void)state;
	device.firmware = STRANGER;
	run(&one, NULL);
	expect(1, "provision: failed: no console\n", "the device sends something, but not as Hearth's");
	device.firmware = PROMPTER;
	run(&one, NULL);
	expect(1, "provision: failed: no console\n", "the device sends something, but not as Hearth's");
	assert_true(device.came < 30); /* "status" three times */
}

static const struct {
	const char *argument, *outcome;
} refusals[] = {
	{"port=0", "provision: failed: port: the device says: wanted 1 to 65535\n"},
	{"colour=red", "provision: failed: colour: the device says: wanted a NAME that show lists, and a VALUE\n"},
	{"broker=", "provision: failed: broker: the device says: wanted 1 to 40 bytes without  /+#$,\n"},
	{"ssid=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddaaaaaaaaaabbbbbbbbbbccccccccccdddddddddd",
     "provision: failed: ssid: the device says: wanted the line again, at most 71 bytes\n"},
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < COUNT(refusals); i++) {
		const struct run one = {{"--location", "hall", refusals[i].argument}, NULL, NULL, NULL, NULL};

		begin(state);
		run(&one, NULL);
		expect(1, refusals[i].outcome, "provision: location is set\n");
		assert_int_equal(device.saves, 0);
	}
}

static void test_secret_refused(void **state)
{
	const struct run one = {{NULL}, NULL, NULL, KEY TOKEN, NULL};

	(void)state;
	run(&one, NULL);
	expect(1, "provision: failed: secret: the device says: wanted 1 to 41 bytes, or none\n", "");
}

static void test_not_online(void **state)
{
	const struct run one = {{"--wait", "2"}, NULL, KEY, NULL, NULL};

	(void)state;
	device.online_after = -1;
	run(&one, NULL);
	expect(1, "provision: failed: saved, but not online after 2 s: joining; the last attempt: no network\n",
	       "provision: joining: no network\n");
	assert_int_equal(device.saves, 1);
}

static void test_no_wait(void **state)
{
	const struct run one = {{"--wait", "0", "port=1"}, NULL, NULL, NULL, NULL};

	(void)state;
	device.online_after = -1;
	run(&one, NULL);
	expect(0, "provision: done: saved\n", "");
}

/* A byte that is lost on the way costs a second attempt. */
static void test_lost_byte(void **state)
{
	const struct run one = {{NULL}, NULL, KEY, TOKEN, NULL};

	(void)state;
	for (int at = 8; at < 60; at += 7) {
		begin(NULL);
		device.lose = at;
		run(&one, NULL);
		expect(0, DONE, "");
		assert_string_equal(device.settings.key, KEY);
		assert_string_equal(device.settings.secret, TOKEN);
	}
}

static void test_unplugged(void **state)
{
	const struct run one = {{"port=1"}, NULL, KEY, TOKEN, NULL};

	(void)state;
	device.unplug_after = 40;
	run(&one, NULL);
	assert_int_equal(code, 1);
	assert_non_null(strstr(outcome, "provision: failed: "));
}

static const struct {
	const char *input, *told;
} inputs[] = {
	{"", "nothing on standard input; did `mosquitto_ctrl hearth device add` fail?"},
	{"error: the broker refused\n", "no device secret (hearth-…) on standard input"},
	{"secret hearth-abc\n", "no device secret"},
	{"secret " TOKEN "a\n", "no device secret"},
	{"secret my-" TOKEN "\n", "no device secret"},
	{"secret hearth-abcdefghijklmnopqrstuvwxy1\n", "no device secret"},
	{"secret HEARTH-abcdefghijklmnopqrstuvwxyz\n", "no device secret"},
	{TOKEN " " OTHER_TOKEN "\n", "more than one secret"},
	{TOKEN "\n" OTHER_TOKEN "\n" TOKEN, "more than one secret"},
};

static void test_no_secret(void **state)
{
	const struct run again = {{"--secret-stdin"}, "x " TOKEN "," TOKEN "\n", NULL, NULL, NULL};

	for (size_t i = 0; i < COUNT(inputs); i++) {
		const struct run one = {{"--secret-stdin"}, inputs[i].input, NULL, TOKEN, NULL};

		begin(state);
		run(&one, NULL);
		expect(1, "", inputs[i].told);
		assert_int_equal(device.came, 0);
	}
	/* Said twice it is still one. */
	run(&again, NULL);
	expect(0, DONE, "");
}

/* Without an echo, and with one again when it is done. */
static void test_terminal(void **state)
{
	const struct run one = {{"--ssid", "home", "--device", "uno1"},
	                        NULL,
	                        NULL,
	                        NULL,
	                        KEY "\n"
	                            "typed secret\n"};
	const struct run empty = {{"--ssid", "home", "--device", "uno1"}, NULL, NULL, NULL, "\n\n"};

	(void)state;
	run(&one, NULL);
	expect(0, DONE, "");
	assert_string_equal(device.settings.key, KEY);
	assert_string_equal(device.settings.secret, "typed secret");
	assert_string_equal(asked, "WiFi key (empty: an open network): \r\nThe device's secret (empty: it stays): \r\n");
	run(&empty, NULL);
	expect(0, DONE, "provision: key is set\n");
	assert_null(strstr(told, "secret is set"));
	assert_string_equal(device.settings.key, "");
}

static void test_no_terminal(void **state)
{
	const struct run key = {{"--ssid", "home"}, NULL, NULL, NULL, NULL};
	const struct run secret = {{"--device", "uno1"}, NULL, NULL, NULL, NULL};
	const struct run empty = {{"--ssid", "home"}, NULL, "", NULL, NULL};

	(void)state;
	run(&key, NULL);
	expect(1, "", "no WiFi key: wanted HEARTH_WIFI_KEY");
	run(&secret, NULL);
	expect(1, "", "no secret: wanted --secret-stdin, HEARTH_DEVICE_SECRET");
	run(&empty, NULL);
	expect(0, DONE, "");
}

static const struct {
	const char *arguments[4];
	const char *port, *told;
} wrongs[] = {
	{{NULL}, "", "wanted --port"},
	{{"key=12345678"}, NULL, "key is no argument"},
	{{"secret=12345678"}, NULL, "secret is no argument"},
	{{"period_s"}, NULL, "wanted NAME=VALUE"},
	{{"=1"}, NULL, "wanted NAME=VALUE"},
	{{"set key=1"}, NULL, "wanted NAME=VALUE"},
	{{"--wait", "soon"}, NULL, "--wait: wanted 0 to 3600 seconds"},
	{{"--wait", "-1"}, NULL, "--wait: wanted 0 to 3600 seconds"},
	{{"--colour"}, NULL, "unrecognized option"},
	{{"broker=a\rreboot"}, NULL, "broker has a control character"},
	{{"--location", "a\nb"}, NULL, "location has a control character"},
	{{NULL}, "/nowhere/ttyUSB0", "/nowhere/ttyUSB0: No such file or directory: is the board plugged in?"},
	{{NULL}, "/dev/null", "it is no serial port"},
};

static void test_arguments(void **state)
{
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		struct run one = {{NULL}, NULL, NULL, NULL, NULL};

		begin(state);
		memcpy(one.arguments, wrongs[i].arguments, sizeof wrongs[i].arguments);
		run(&one, wrongs[i].port);
		expect(1, "", wrongs[i].told);
		assert_int_equal(device.came, 0);
	}
}

static void test_help(void **state)
{
	const struct run help = {{"--help"}, NULL, NULL, NULL, NULL};

	(void)state;
	run(&help, "");
	assert_int_equal(code, 0);
	assert_non_null(strstr(outcome, "--port PATH"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all, begin),
		cmocka_unit_test_setup(test_json, begin),
		cmocka_unit_test_setup(test_no_reset, begin),
		cmocka_unit_test_setup(test_no_device, begin),
		cmocka_unit_test_setup(test_other_firmware, begin),
		cmocka_unit_test_setup(test_refused, begin),
		cmocka_unit_test_setup(test_secret_refused, begin),
		cmocka_unit_test_setup(test_not_online, begin),
		cmocka_unit_test_setup(test_no_wait, begin),
		cmocka_unit_test_setup(test_lost_byte, begin),
		cmocka_unit_test_setup(test_unplugged, begin),
		cmocka_unit_test_setup(test_no_secret, begin),
		cmocka_unit_test_setup(test_terminal, begin),
		cmocka_unit_test_setup(test_no_terminal, begin),
		cmocka_unit_test_setup(test_arguments, begin),
		cmocka_unit_test_setup(test_help, begin),
	};

	program = getenv("HEARTH_PROVISION");
	if (!program) {
		fputs("HEARTH_PROVISION names no program\n", stderr);
		return 1;
	}
	return cmocka_run_group_tests_name("provision", tests, NULL, NULL);
}
