/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * demo_test: what `make run` starts is a working house: real input flows, a threshold on it acts, what it prints to
 * type next works, and Ctrl-C stops it clean. The first start makes an account and shows its password, once. The demo is run
 * with copies of the plugin and of mosquitto_ctrl's module in a temporary folder.
 */
#include "accounts.h"
#include "client.h"
#include "house.h"
#include "patience.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct demo {
	struct house *house; /* lends its folder, and its port to the client; it is never started itself */
	pid_t pid;
	int output;
	char text[16384];
	size_t len;
};

static void run_program(const char *const *arguments)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execvp(arguments[0], (char *const *)arguments);
		_exit(127);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Reads what the demo says until it has said `wanted`. */
static void demo_wait_text(struct demo *demo, const char *wanted)
{
	int64_t deadline = deadline_in(20000);
	while (strstr(demo->text, wanted) == NULL) {
		assert_true(now_ms() < deadline);
		ssize_t got = read(demo->output, demo->text + demo->len, sizeof demo->text - 1 - demo->len);
		if (got > 0)
			demo->len += (size_t)got;
		else if (got < 0 && errno == EAGAIN)
			look_again();
		else
			fail_msg("the demo ended before it said \"%s\":\n%s", wanted, demo->text);
		demo->text[demo->len] = '\0';
	}
}

/* Runs the demo in the house's folder, which holds a copy of the plugin. `first` goes before PATH; NULL: nothing. */
static void demo_launch(struct demo *demo, struct house *house, const char *first)
{
	char plugin[128], script[512], path[4096];
	int ends[2];

	*demo = (struct demo){.house = house};
	snprintf(plugin, sizeof plugin, "%s/mosquitto_hearth.so", house->folder);
	snprintf(path, sizeof path, "%s%s%s", first != NULL ? first : "", first != NULL ? ":" : "", getenv("PATH"));
	const char *tests = getenv("TEST_FOLDER");
	snprintf(script, sizeof script, "%s/demo/run.sh", tests != NULL ? tests : "test");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	demo->pid = fork();
	assert_true(demo->pid >= 0);
	if (demo->pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		setenv("PATH", path, 1);
		execlp("sh", "sh", script, plugin, NULL);
		_exit(127);
	}
	close(ends[1]);
	demo->output = ends[0];
	fcntl(demo->output, F_SETFL, O_NONBLOCK);
}

static struct house *house_with_plugin(void)
{
	char module[512];
	struct house *house = house_new();
	const char *plugin = house_plugin();
	int folder_len = (int)(strrchr(plugin, '/') - plugin);
	run_program((const char *const[]){"cp", plugin, house->folder, NULL});
	snprintf(module, sizeof module, "%.*s/mosquitto_ctrl_hearth.so", folder_len, plugin);
	run_program((const char *const[]){"cp", module, house->folder, NULL});
	return house;
}

static void demo_start(struct demo *demo)
{
	demo_launch(demo, house_with_plugin(), NULL);
	demo_wait_text(demo, "Ctrl-C stops it.");
	const char *port = strstr(demo->text, "running on port ");
	assert_non_null(port);
	demo->house->port = (int)strtol(port + strlen("running on port "), NULL, 10);
}

/* Waits until the demo has ended and nobody of its group is left. Returns its exit status. */
static int demo_wait_end(struct demo *demo)
{
	int status = 0;
	int64_t deadline = deadline_in(10000);

	while (waitpid(demo->pid, &status, WNOHANG) == 0) {
		assert_true(now_ms() < deadline);
		look_again();
	}
	assert_true(WIFEXITED(status));
	while (kill(-demo->pid, 0) == 0) {
		assert_true(now_ms() < deadline);
		look_again();
	}
	return WEXITSTATUS(status);
}

/* Ctrl-C and a closed terminal tell the whole group of processes. */
static int demo_signal(struct demo *demo, int signal)
{
	kill(-demo->pid, signal);
	return demo_wait_end(demo);
}

static int demo_interrupt(struct demo *demo)
{
	return demo_signal(demo, SIGINT);
}

/* As the administrator, with the password that the first start has shown. */
static struct client *demo_client(const struct demo *demo)
{
	char password[64];
	const char *shown = strstr(demo->text, "HEARTH_PASSWORD=");
	assert_non_null(shown);
	assert_int_equal(sscanf(shown, "HEARTH_PASSWORD=%63s", password), 1);
	struct client *client = accounts_sign_in(demo->house, CLIENT_V5, "admin", password);
	assert_non_null(client);
	return client;
}

static int count_row(void *count, int columns, char **values, char **names)
{
	(void)columns;
	(void)names;
	*(int *)count = (int)strtol(values[0], NULL, 10);
	return 0;
}

static void test_demo(void **state)
{
	struct demo demo;
	char history[192];
	(void)state;

	demo_start(&demo);
	struct client *client = demo_client(&demo);
	client_subscribe(client, "#");
	/* Real input: the machine's own gauges, and the lamp that follows its load. */
	assert_non_null(client_take(client, "broker/hearth/cpu/value", 10000));
	assert_non_null(client_take(client, "broker/hearth/memory/value", SOON));
	client_publish(client, "livingroom/uno1/temperature/value", "29.5");
	const struct message *command = client_expect(client, "livingroom/fan1/motor/set", "1", SOON);
	assert_string_equal(message_property(command, "hearth-rule"), "cool");
	client_publish(client, "livingroom/uno1/temperature/value", "26");
	client_expect(client, "livingroom/fan1/motor/set", "0", SOON);
	client_free(client);

	assert_int_equal(demo_interrupt(&demo), 0);
	demo_wait_text(&demo, "Stopped.");
	close(demo.output);

	int count = 0;
	sqlite3 *db = NULL;
	snprintf(history, sizeof history, "%s/run/hearth/history.db", demo.house->folder);
	assert_int_equal(sqlite3_open_v2(history, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "SELECT count(*) FROM readings WHERE location = 'livingroom'", count_row, &count, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(count, 4);
	house_free(demo.house);
}

/* A second demo beside a broker on the first one's port takes another one and says so. */
static void test_port_taken(void **state)
{
	struct demo first, second;
	(void)state;

	demo_start(&first);
	demo_start(&second);
	assert_int_not_equal(first.house->port, second.house->port);
	assert_non_null(strstr(second.text, "is taken"));
	assert_int_equal(demo_interrupt(&second), 0);
	assert_int_equal(demo_interrupt(&first), 0);
	close(first.output);
	close(second.output);
	house_free(second.house);
	house_free(first.house);
}

/* A closed terminal, and a kill of the script alone, end the broker too. */
static void test_every_end_ends_the_broker(void **state)
{
	struct demo demo;
	(void)state;

	demo_start(&demo);
	assert_int_equal(demo_signal(&demo, SIGHUP), 0);
	demo_wait_text(&demo, "Stopped.");
	close(demo.output);

	demo_launch(&demo, demo.house, NULL);
	demo_wait_text(&demo, "Ctrl-C stops it.");
	assert_non_null(strstr(demo.text, "with the accounts it has"));
	kill(demo.pid, SIGTERM);
	assert_int_equal(demo_wait_end(&demo), 0);
	demo_wait_text(&demo, "Stopped.");
	close(demo.output);
	house_free(demo.house);
}

/* Any command of the script may fail behind the broker's start: here, the last one. */
static void test_failure_ends_the_broker(void **state)
{
	struct demo demo;
	char folder[96], cat[128];
	struct house *house = house_with_plugin();
	(void)state;

	snprintf(folder, sizeof folder, "%s/bin", house->folder);
	snprintf(cat, sizeof cat, "%s/cat", folder);
	run_program((const char *const[]){"mkdir", folder, NULL});
	run_program((const char *const[]){"ln", "-s", "/bin/false", cat, NULL});
	demo_launch(&demo, house, folder);
	demo_wait_text(&demo, "hearth: version"); /* the broker has come that far */
	assert_int_equal(demo_wait_end(&demo), 1);
	close(demo.output);
	house_free(house);
}

/* Two brokers cannot share a state folder: the second demo says so, and leaves the first one's files alone. */
static void test_runs_already(void **state)
{
	struct demo first, second;
	char wanted[128];
	(void)state;

	demo_start(&first);
	snprintf(wanted, sizeof wanted, "A demo runs already here (port %d)", first.house->port);
	for (int i = 0; i < 2; i++) {
		demo_launch(&second, first.house, NULL);
		demo_wait_text(&second, wanted);
		assert_int_equal(demo_wait_end(&second), 1);
		close(second.output);
	}
	assert_int_equal(demo_interrupt(&first), 0);
	close(first.output);
	house_free(first.house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_demo, client_teardown),
		cmocka_unit_test_teardown(test_port_taken, client_teardown),
		cmocka_unit_test_teardown(test_every_end_ends_the_broker, client_teardown),
		cmocka_unit_test_teardown(test_failure_ends_the_broker, client_teardown),
		cmocka_unit_test_teardown(test_runs_already, client_teardown),
	};
	return cmocka_run_group_tests_name("demo", tests, NULL, NULL);
}
