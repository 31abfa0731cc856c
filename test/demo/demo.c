/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* demo: see demo.h. */
#include "demo.h"

#include "accounts.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "program.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct house *demo_house(void)
{
	char module[512];
	struct house *house = house_new();
	const char *plugin = house_plugin();
	int folder_len = (int)(strrchr(plugin, '/') - plugin);
	program_run((const char *const[]){"cp", plugin, house->folder, NULL});
	snprintf(module, sizeof module, "%.*s/mosquitto_ctrl_hearth.so", folder_len, plugin);
	program_run((const char *const[]){"cp", module, house->folder, NULL});
	return house;
}

void demo_script(char script[static 512], const char *name)
{
	const char *tests = getenv("TEST_FOLDER");

	snprintf(script, 512, "%s/demo/%s", tests != NULL ? tests : "test", name);
}

static void set_default(const char *name, const char *value)
{
	const char *set = getenv(name);

	if (set == NULL || set[0] == '\0')
		setenv(name, value, 1);
}

/* In the child. */
static void become(const char *script, const char *plugin, enum demo_boards boards)
{
	char rooms[512];
	const char *built = house_plugin();

	if (boards == DEMO_WITHOUT_BOARDS) {
		unsetenv("HEARTH_ROOMS");
		execlp("sh", "sh", script, plugin, NULL);
		_exit(127);
	}
	snprintf(rooms, sizeof rooms, "%.*s/test/demo/rooms/rooms", (int)(strrchr(built, '/') - built), built);
	set_default("HEARTH_ROOMS", rooms);
	set_default("HEARTH_RIG", "build/test/sim/rig");
	set_default("HEARTH_FIRMWARE", "build/firmware/hearth.elf");
	execlp("sh", "sh", script, plugin, "--hour", "18", "--day", "180", NULL);
	_exit(127);
}

void demo_launch(struct demo *demo, struct house *house, const char *first, enum demo_boards boards)
{
	char plugin[128], script[512], path[4096];
	int ends[2];

	*demo = (struct demo){.house = house};
	snprintf(plugin, sizeof plugin, "%s/mosquitto_hearth.so", house->folder);
	snprintf(path, sizeof path, "%s%s%s", first != NULL ? first : "", first != NULL ? ":" : "", getenv("PATH"));
	demo_script(script, "run.sh");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	demo->pid = fork();
	assert_true(demo->pid >= 0);
	if (demo->pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		setenv("PATH", path, 1);
		become(script, plugin, boards);
	}
	close(ends[1]);
	demo->output = ends[0];
	fcntl(demo->output, F_SETFL, O_NONBLOCK);
}

void demo_wait_text(struct demo *demo, const char *wanted)
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

void demo_wait_start(struct demo *demo)
{
	demo_wait_text(demo, "Ctrl-C stops it.");
	const char *port = strstr(demo->text, "running on port ");
	assert_non_null(port);
	demo->house->port = (int)strtol(port + strlen("running on port "), NULL, 10);
}

void demo_start(struct demo *demo)
{
	demo_launch(demo, demo_house(), NULL, DEMO_WITHOUT_BOARDS);
	demo_wait_start(demo);
}

int demo_wait_end(struct demo *demo)
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

int demo_signal(struct demo *demo, int signal)
{
	kill(-demo->pid, signal);
	return demo_wait_end(demo);
}

int demo_interrupt(struct demo *demo)
{
	return demo_signal(demo, SIGINT);
}

void demo_password(const struct demo *demo, char password[static 64])
{
	const char *shown = strstr(demo->text, "HEARTH_PASSWORD=");
	assert_non_null(shown);
	assert_int_equal(sscanf(shown, "HEARTH_PASSWORD=%63s", password), 1);
}

struct client *demo_client(const struct demo *demo)
{
	char password[64];
	demo_password(demo, password);
	struct client *client = accounts_sign_in(demo->house, CLIENT_V5, "admin", password);
	assert_non_null(client);
	return client;
}
