/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See house.h. */
#include "house.h"

#include "mariadb_server.h"
#include "patience.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h> /* cmocka.h needs these four before it */

#include <cmocka.h>

#define START_MS   15000
#define STOP_MS    15000
#define PORT_TRIES 5

static struct house *houses;

/* ---- configuration ---- */

const char *house_plugin(void)
{
	static char path[PATH_MAX];
	const char *wanted = getenv("HEARTH_PLUGIN");

	if (wanted == NULL || wanted[0] == '\0')
		wanted = "build/mosquitto_hearth.so";
	if (realpath(wanted, path) == NULL)
		fail_msg("the plugin %s: %s", wanted, strerror(errno));
	return path;
}

/* Somebody may take it before the broker does, so house_start tries again. */
int house_free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

struct house *house_new(void)
{
	const char *temporary = getenv("TMPDIR");
	struct house *house = calloc(1, sizeof(*house));

	assert_non_null(house);
	if (temporary == NULL || strlen(temporary) > 32)
		temporary = "/tmp";
	snprintf(house->folder, sizeof(house->folder), "%s/hearth-test-XXXXXX", temporary);
	if (mkdtemp(house->folder) == NULL)
		fail_msg("%s: %s", house->folder, strerror(errno));
	snprintf(house->history, sizeof(house->history), "%s/hearth/history.db", house->folder);
	house->port = house_free_port();
	house->conf = strdup("");
	assert_non_null(house->conf);
	house->next = houses;
	houses = house;
	return house;
}

void house_conf(struct house *house, const char *format, ...)
{
	char *line = NULL, *all = NULL;
	va_list arguments;

	va_start(arguments, format);
	assert_true(vasprintf(&line, format, arguments) >= 0);
	va_end(arguments);
	assert_true(asprintf(&all, "%s%s\n", house->conf, line) >= 0);
	free(line);
	free(house->conf);
	house->conf = all;
}

void house_conf_clear(struct house *house)
{
	house->conf[0] = '\0';
}

/* True if one of the house's own lines begins with this word. */
static bool conf_sets(const struct house *house, const char *word, size_t len)
{
	const char *line = house->conf;

	while (line != NULL && *line != '\0') {
		if (strncmp(line, word, len) == 0 && line[len] == ' ')
			return true;
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	return false;
}

static void __attribute__((format(printf, 3, 4)))
put_default(FILE *out, const struct house *house, const char *format, ...)
{
	va_list arguments;

	if (conf_sets(house, format, strcspn(format, " ")))
		return;
	va_start(arguments, format);
	vfprintf(out, format, arguments);
	va_end(arguments);
	fputc('\n', out);
}

/* Mosquitto reads a plugin's options after its plugin line, and what is said of the broker before any listener. */
enum own_lines { OWN_BROKER, OWN_PLUGIN, OWN_PLUGIN_OPTIONS };

static enum own_lines kind_of(const char *line)
{
	if (strncmp(line, "plugin_opt_", strlen("plugin_opt_")) == 0)
		return OWN_PLUGIN_OPTIONS;
	return strncmp(line, "plugin ", strlen("plugin ")) == 0 ? OWN_PLUGIN : OWN_BROKER;
}

/* The house's own lines of one kind. */
static void put_own(FILE *out, const struct house *house, enum own_lines kind)
{
	const char *line = house->conf;

	while (*line != '\0') {
		const char *end = strchr(line, '\n');

		if (kind_of(line) == kind)
			fprintf(out, "%.*s\n", (int)(end - line), line);
		line = end + 1;
	}
}

/* A server's owner is who runs it, and is let in over its socket without a password. */
static void put_store(FILE *out, const struct house *house)
{
	const struct passwd *owner = getpwuid(geteuid());

	if (house->server != NULL)
		put_default(out, house, "plugin_opt_store mariadb://%s@%s/" HOUSE_DATABASE,
		            owner == NULL ? "root" : owner->pw_name, mariadb_server_socket(house->server));
}

static void write_conf(const struct house *house)
{
	char path[96];
	FILE *out;

	snprintf(path, sizeof(path), "%s/mosquitto.conf", house->folder);
	out = fopen(path, "we");
	assert_non_null(out);
	put_own(out, house, OWN_BROKER);
	put_default(out, house, "user root");
	put_default(out, house, "log_dest stderr");
	put_default(out, house, "log_timestamp_format %%Y-%%m-%%dT%%H:%%M:%%S");
	put_default(out, house, "persistence_location %s/", house->folder);
	put_default(out, house, "max_inflight_messages 0");
	put_default(out, house, "max_queued_messages 1000000");
	put_default(out, house, "set_tcp_nodelay true");
	fprintf(out, "listener %d 127.0.0.1\n", house->port);
	put_default(out, house, "allow_anonymous true");
	if (!house->bare) {
		put_own(out, house, OWN_PLUGIN);
		put_default(out, house, "plugin %s", house_plugin());
		put_default(out, house, "plugin_opt_state_dir %s/hearth", house->folder);
		put_default(out, house, "plugin_opt_node testnode");
		put_default(out, house, "plugin_opt_gauges_every 0");
		put_store(out, house);
		put_own(out, house, OWN_PLUGIN_OPTIONS);
	}
	assert_int_equal(fclose(out), 0);
}

/* ---- log ---- */

static void log_path(const struct house *house, char path[static 96])
{
	snprintf(path, 96, "%s/broker.log", house->folder);
}

const char *house_log(struct house *house)
{
	char path[96];
	size_t len = 0;
	long size;
	FILE *in;

	log_path(house, path);
	in = fopen(path, "re");
	assert_non_null(in);
	fseek(in, 0, SEEK_END);
	size = ftell(in) - house->log_from;
	assert_true(size >= 0);
	fseek(in, house->log_from, SEEK_SET);
	free(house->log);
	house->log = malloc((size_t)size + 1);
	assert_non_null(house->log);
	len = fread(house->log, 1, (size_t)size, in);
	house->log[len] = '\0';
	fclose(in);
	return house->log;
}

size_t house_count_log(struct house *house, const char *text, const char *and)
{
	size_t count = 0;
	char *rest = NULL;

	house_log(house);
	for (char *line = strtok_r(house->log, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		if (strstr(line, text) != NULL && (and == NULL || strstr(line, and) != NULL))
			count++;
	return count;
}

void house_wait_log(struct house *house, const char *text)
{
	int64_t deadline = deadline_in(SOON);

	while (strstr(house_log(house), text) == NULL) {
		if (now_ms() > deadline)
			fail_msg("no \"%s\" in the broker's log:\n%s", text, house->log);
		look_again();
	}
}

void house_wait_file(const struct house *house, const char *name)
{
	int64_t deadline = deadline_in(SOON);
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", house->folder, name);
	while (access(path, F_OK) != 0) {
		if (now_ms() > deadline)
			fail_msg("%s did not appear", path);
		look_again();
	}
}

/* ---- process ---- */

/* In the child: nothing but what may be called after fork, and exec. */
static void become_broker(const char *log, const char *conf, pid_t parent)
{
	const char *program = getenv("MOSQUITTO");
	const char *preload = getenv("HEARTH_PRELOAD");
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);

	if (program == NULL || program[0] == '\0')
		program = "/usr/sbin/mosquitto";
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(126);
	if (preload != NULL && preload[0] != '\0') {
		setenv("LD_PRELOAD", preload, 1);
		setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	execl(program, program, "-c", conf, (char *)NULL);
	fprintf(stderr, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

void house_launch(struct house *house)
{
	char log[96], conf[96];
	pid_t parent = getpid();
	struct stat file;

	assert_int_equal(house->pid, 0);
	write_conf(house);
	log_path(house, log);
	snprintf(conf, sizeof(conf), "%s/mosquitto.conf", house->folder);
	house->log_from = stat(log, &file) == 0 ? (long)file.st_size : 0;
	close(open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	house->pid = fork();
	assert_true(house->pid >= 0);
	if (house->pid == 0)
		become_broker(log, conf, parent);
}

/* Waits for the broker's end and returns its wait status. */
static int reap(struct house *house, int ms)
{
	int64_t deadline = deadline_in(ms);
	int status = 0;

	while (waitpid(house->pid, &status, WNOHANG) == 0) {
		if (now_ms() > deadline)
			fail_msg("the broker still runs after %d ms:\n%s", ms, house_log(house));
		look_again();
	}
	house->pid = 0;
	return status;
}

/* True once the broker listens; false if it exited because somebody else has the port. */
static bool started(struct house *house)
{
	int64_t deadline = deadline_in(START_MS);
	int status;

	/* The broker says this after plugins and listeners are up. */
	while (strstr(house_log(house), " running\n") == NULL) {
		if (waitpid(house->pid, &status, WNOHANG) != 0) {
			house->pid = 0;
			if (strstr(house_log(house), "Address already in use") != NULL)
				return false;
			fail_msg("the broker did not start:\n%s", house->log);
		}
		if (now_ms() > deadline)
			fail_msg("the broker is not ready:\n%s", house->log);
		look_again();
	}
	return true;
}

void house_start(struct house *house)
{
	char log[96];
	bool first;

	log_path(house, log);
	first = access(log, F_OK) != 0;
	for (int i = 0; i < PORT_TRIES; i++) {
		house_launch(house);
		if (started(house))
			return;
		if (first)
			house->port = house_free_port();
		else
			look_again();
	}
	fail_msg("port %d is taken", house->port);
}

bool house_try(struct house *house)
{
	int64_t deadline = deadline_in(START_MS);
	int status = 0;

	house_launch(house);
	while (strstr(house_log(house), " running\n") == NULL) {
		if (waitpid(house->pid, &status, WNOHANG) != 0) {
			house->pid = 0;
			if (!WIFEXITED(status) || WEXITSTATUS(status) == 0)
				fail_msg("the broker ended with wait status %#x:\n%s", (unsigned)status, house_log(house));
			return false;
		}
		if (now_ms() > deadline)
			fail_msg("the broker is not ready:\n%s", house->log);
		look_again();
	}
	return true;
}

void house_start_refused(struct house *house)
{
	int status;

	house_launch(house);
	status = reap(house, START_MS);
	if (WIFSIGNALED(status))
		fail_msg("the broker died of signal %d:\n%s", WTERMSIG(status), house_log(house));
	assert_int_not_equal(WEXITSTATUS(status), 0);
}

void house_signal(const struct house *house, int signal)
{
	assert_true(house->pid > 0);
	assert_int_equal(kill(house->pid, signal), 0);
}

int house_stop(struct house *house)
{
	int64_t begin = now_ms();
	int status;

	house_signal(house, SIGTERM);
	status = reap(house, STOP_MS);
	if (status != 0)
		fail_msg("the broker ended with wait status %#x:\n%s", (unsigned)status, house_log(house));
	return (int)(now_ms() - begin);
}

void house_kill(struct house *house)
{
	house_signal(house, SIGKILL);
	reap(house, STOP_MS);
}

void house_restart(struct house *house)
{
	house_stop(house);
	house_start(house);
}

/* ---- end ---- */

static int remove_entry(const char *path, const struct stat *file, int kind, struct FTW *walk)
{
	(void)file;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void forget(struct house *house)
{
	struct house **link = &houses;

	while (*link != house)
		link = &(*link)->next;
	*link = house->next;
	free(house->conf);
	free(house->log);
	free(house);
}

void house_free(struct house *house)
{
	if (house->pid != 0)
		house_stop(house);
	nftw(house->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	forget(house);
}

int house_teardown(void **state)
{
	(void)state;
	while (houses != NULL) {
		struct house *house = houses;

		if (house->pid > 0) {
			kill(house->pid, SIGKILL);
			waitpid(house->pid, NULL, 0);
		}
		print_message("kept for you to look at: %s\n", house->folder);
		forget(house);
	}
	return 0;
}
