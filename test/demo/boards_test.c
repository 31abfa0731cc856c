/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * boards_test: the demo with its three simulated boards, which run the real firmware, lives an evening: thresholds trip by
 * its course, `make fire` reaches every room, and Ctrl-C leaves nothing behind but what the next start needs.
 */
#include "accounts.h"
#include "client.h"
#include "demo.h"
#include "house.h"
#include "patience.h"
#include "program.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOARD_COMES 40000 /* a first start: set up over its console, saved, joined, signed in */

static const char *const boards[] = {"livingroom/uno1", "bedroom/uno2", "hall/uno3"};
enum { BOARD_COUNT = sizeof boards / sizeof *boards };

/* Takes what comes on this topic until it is that; from the given rule, unless NULL. */
static void wait_payload(struct client *client, const char *topic, const char *rule, bool (*is_it)(const char *payload))
{
	int64_t deadline = deadline_in(BOARD_COMES);

	for (;;) {
		const int64_t left = deadline - now_ms();
		const struct message *message = left > 0 ? client_take(client, topic, (int)left) : NULL;
		if (message == NULL) {
			fail_msg("what was wanted on %s did not come", topic);
			return;
		}
		const char *by = message_property(message, "hearth-rule");
		if (is_it(message->payload) && (rule == NULL || (by != NULL && strcmp(by, rule) == 0)))
			return;
	}
}

static void wait_payload_of(struct client *client, const char *board, const char *rest, const char *rule,
                            bool (*is_it)(const char *payload))
{
	char topic[128];

	snprintf(topic, sizeof topic, "%s/%s", board, rest);
	wait_payload(client, topic, rule, is_it);
}

static bool is_online(const char *payload)
{
	return strcmp(payload, "online") == 0;
}

static bool is_one(const char *payload)
{
	return strcmp(payload, "1") == 0;
}

static bool is_dimmed(const char *payload)
{
	const long level = strtol(payload, NULL, 10);
	return level > 1 && level <= 255;
}

static bool is_reading_of_fire(const char *payload)
{
	return strstr(payload, "\"value\":1") != NULL;
}

static bool is_open(const char *payload)
{
	return strcmp(payload, "open") == 0;
}

static bool is_alarm(const char *payload)
{
	return strcmp(payload, "alarm") == 0;
}

static void wait_boards(struct client *client)
{
	for (int i = 0; i < BOARD_COUNT; i++)
		wait_payload_of(client, boards[i], "device/status", NULL, is_online);
}

static void file_of(const struct demo *demo, const char *name, char path[static 192])
{
	snprintf(path, 192, "%s/run/%s", demo->house->folder, name);
}

/* Waits until the rooms have said that. */
static void wait_said(const struct demo *demo, const char *text)
{
	char path[192], line[512];
	int64_t deadline = deadline_in(SOON);

	file_of(demo, "rooms.log", path);
	for (;;) {
		FILE *file = fopen(path, "r");
		bool said = false;
		assert_non_null(file);
		while (!said && fgets(line, sizeof line, file) != NULL)
			said = strstr(line, text) != NULL;
		fclose(file);
		if (said)
			return;
		if (now_ms() >= deadline)
			fail_msg("the rooms did not say \"%s\"", text);
		look_again();
	}
}

/* How many processes were started with this text in their arguments. */
static int count_processes(const char *text)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		char path[300], arguments[2048];
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
		int file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0)
			continue;
		ssize_t len = read(file, arguments, sizeof arguments);
		close(file);
		if (len > 0 && memmem(arguments, (size_t)len, text, strlen(text)) != NULL)
			count++;
	}
	closedir(folder);
	return count;
}

static void make_fire(const struct demo *demo, const char *location)
{
	char script[512];

	demo_script(script, "fire.sh");
	program_run((const char *const[]){"sh", script, demo->house->folder, location, NULL});
}

/* It must say why it has made none, and end so. */
static void make_no_fire(const struct demo *demo, const char *location, const char *why)
{
	char script[512], said[512] = "";
	int status = 0, ends[2];

	demo_script(script, "fire.sh");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		execlp("sh", "sh", script, demo->house->folder, location, NULL);
		_exit(127);
	}
	close(ends[1]);
	for (size_t len = 0; len < sizeof said - 1;) {
		const ssize_t got = read(ends[0], said + len, sizeof said - 1 - len);
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	assert_non_null(strstr(said, why));
}

static void expect_kept_files(const struct demo *demo)
{
	static const char *const kept[] = {"livingroom.eeprom", "bedroom.eeprom", "hall.eeprom", "rooms.password"};
	static const char *const gone[] = {"livingroom.secret", "bedroom.secret", "hall.secret", "rooms.control"};
	struct stat file;
	char path[192];

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		file_of(demo, kept[i], path);
		assert_int_equal(stat(path, &file), 0);
		assert_int_equal(file.st_mode & 0777, 0600);
	}
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
		file_of(demo, gone[i], path);
		assert_int_equal(access(path, F_OK), -1);
	}
}

static int take_port(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1, taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(taken >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(taken, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	assert_int_equal(bind(taken, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(taken, 1), 0);
	return taken;
}

static void expect_nothing_left(struct demo *demo)
{
	demo_wait_text(demo, "Stopped.");
	close(demo->output);
	assert_int_equal(count_processes(demo->house->folder), 0);
	expect_kept_files(demo);
	make_no_fire(demo, "livingroom", "start one with make run");
}

/* The boards come online, thresholds trip by the course of the evening, and the fire drill reaches every room. */
static void test_boards(void **state)
{
	struct demo demo, again;
	char password[64];
	(void)state;

	demo_launch(&demo, demo_house(), NULL, DEMO_WITH_BOARDS);
	demo_wait_start(&demo);
	assert_null(strstr(demo.text, "No simulated boards"));
	demo_password(&demo, password);
	struct client *client = demo_client(&demo);
	client_subscribe(client, "#");
	wait_boards(client);
	assert_true(count_processes(demo.house->folder) >= 5); /* script, broker, rooms' boards and their rooms */
	assert_non_null(client_take(client, "outdoor/weather/temperature/value", SOON));
	wait_payload(client, "livingroom/uno1/motor/set", "cool", is_one);
	wait_payload(client, "livingroom/uno1/motor/state", NULL, is_one);
	wait_payload(client, "livingroom/uno1/led/set", "dim", is_dimmed);
	wait_payload(client, "livingroom/uno1/led/state", NULL, is_dimmed);
	wait_said(&demo, "livingroom: led on");

	make_no_fire(&demo, "kitchen", "wanted livingroom, bedroom or hall");
	make_fire(&demo, "livingroom");
	wait_payload(client, "livingroom/uno1/fire/value", NULL, is_reading_of_fire);
	wait_payload(client, "hall/uno3/door/set", "fire", is_open);
	wait_payload(client, "hall/uno3/door/state", NULL, is_open);
	for (int i = 0; i < BOARD_COUNT; i++)
		wait_payload_of(client, boards[i], "buzzer/state", NULL, is_alarm);
	wait_said(&demo, "hall: door open");
	wait_said(&demo, "bedroom: buzzer sounds");
	client_free(client);
	assert_int_equal(demo_interrupt(&demo), 0);
	expect_nothing_left(&demo);

	/* The boards have kept everything, and are told of another port. */
	const int before = demo.house->port, taken = take_port(before);
	demo_launch(&again, demo.house, NULL, DEMO_WITH_BOARDS);
	demo_wait_start(&again);
	close(taken);
	assert_int_not_equal(again.house->port, before);
	client = accounts_sign_in(again.house, CLIENT_V5, "admin", password);
	assert_non_null(client);
	client_subscribe(client, "+/+/device/status");
	wait_boards(client);
	client_free(client);
	kill(again.pid, SIGTERM); /* the script alone */
	assert_int_equal(demo_wait_end(&again), 0);
	expect_nothing_left(&again);
	house_free(again.house);
}

/* A house that was made without boards has no accounts for them: it says how to begin anew, and goes on without. */
static void test_house_without_boards(void **state)
{
	struct demo demo;
	(void)state;

	demo_start(&demo);
	assert_int_equal(demo_interrupt(&demo), 0);
	close(demo.output);
	demo_launch(&demo, demo.house, NULL, DEMO_WITH_BOARDS);
	demo_wait_start(&demo);
	assert_non_null(strstr(demo.text, "begins anew after: rm -r"));
	assert_int_equal(demo_interrupt(&demo), 0);
	close(demo.output);
	house_free(demo.house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_boards, client_teardown),
		cmocka_unit_test_teardown(test_house_without_boards, client_teardown),
	};
	return cmocka_run_group_tests_name("boards", tests, NULL, NULL);
}
