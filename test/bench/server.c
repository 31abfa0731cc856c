/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * server: see server.h.
 *
 * The process is started with the affinity that a plugin's threads shall have, which they inherit; once it answers, its
 * main thread alone is moved to the brokers' CPU. It dies with this process, and ignores a terminal's Ctrl-C.
 *
 * CPU time: the main thread's from /proc/PID/task/PID/schedstat, the whole process's from its POSIX CPU clock. The
 * former is brought up to date when the thread goes to sleep, hence the wait for that.
 */
#include "server.h"
#include "client.h"
#include "place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_TIMEOUT_MS  20000
#define STOP_TIMEOUT_MS   20000
#define SLEEP_TIMEOUT_MS  10000
#define SETTLE_TIMEOUT_MS 60000

/* Settled: in each of so many intervals of so many ms the process used less than a twentieth of a CPU. */
#define SETTLE_INTERVALS   3
#define SETTLE_INTERVAL_MS 20
#define SETTLE_SHARE       20

static int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void sleep_us(long microseconds)
{
	struct timespec time = {.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
	nanosleep(&time, NULL);
}

/* A port that was free a moment ago; 0: none. */
static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int port = 0;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
		port = ntohs(address.sin_port);
	}
	if (fd >= 0) {
		close(fd);
	}
	return port;
}

/* The last line of a file, or nothing. */
static void last_line(const char *path, char *out, size_t size)
{
	out[0] = '\0';
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return;
	}
	while (fgets(out, (int)size, file) != NULL) {
		out[strcspn(out, "\n")] = '\0';
	}
	fclose(file);
}

/* What happened, and the server's own last words: from its log, else from its output. */
static bool fault_of_server(const struct server *server, const char *what, struct fault *fault)
{
	char path[PATH_MAX + 16];
	char said[300];
	snprintf(path, sizeof(path), "%s/broker.log", server->folder);
	last_line(path, said, sizeof(said));
	if (said[0] == '\0') {
		snprintf(path, sizeof(path), "%s/output", server->folder);
		last_line(path, said, sizeof(said));
	}
	return fault_set(fault, "%s; it last said: %s", what, said[0] == '\0' ? "nothing" : said);
}

/* ---- starting ---- */

static bool write_conf(const struct server *server, const char *extra_conf, struct fault *fault)
{
	char path[PATH_MAX + 16];
	snprintf(path, sizeof(path), "%s/mosquitto.conf", server->folder);
	FILE *file = fopen(path, "we");
	if (file == NULL) {
		return fault_set(fault, "%s: %s", path, strerror(errno));
	}
	fprintf(file, "listener %d 127.0.0.1\nlog_dest file %s/broker.log\n", server->port, server->folder);
	fputs("allow_anonymous true\npersistence false\nsys_interval 0\n", file);
	fputs("set_tcp_nodelay true\nmax_inflight_messages 0\nmax_queued_messages 1000000\n", file);
	fputs(geteuid() == 0 ? "user root\n" : "", file);
	fputs(extra_conf, file);
	if (fclose(file) != 0) {
		return fault_set(fault, "%s: %s", path, strerror(errno));
	}
	return true;
}

/* The child's half of starting: never returns. */
static void become_server(const struct server *server, const char *mosquitto, const struct pins *pins)
{
	char conf[PATH_MAX + 16];
	char output[PATH_MAX + 16];
	snprintf(conf, sizeof(conf), "%s/mosquitto.conf", server->folder);
	snprintf(output, sizeof(output), "%s/output", server->folder);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	sched_setaffinity(0, sizeof(pins->others), &pins->others);
	int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0) {
		execlp(mosquitto, mosquitto, "-c", conf, (char *)NULL);
		dprintf(STDERR_FILENO, "%s: %s\n", mosquitto, strerror(errno));
	}
	_exit(127);
}

/* A broker that lets no stranger in answers too. */
static bool await_answer(struct server *server, struct fault *fault)
{
	struct client client;
	struct fault refused = {0};
	int64_t deadline_ms = clock_ms() + START_TIMEOUT_MS;
	while (!client_open(&client, server->port, "bench-is-it-up", &refused) && client.refusal == 0) {
		if (waitpid(server->pid, NULL, WNOHANG) != 0) {
			server->pid = 0;
			return fault_of_server(server, "the broker did not start", fault);
		}
		if (clock_ms() > deadline_ms) {
			return fault_of_server(server, "the broker does not answer", fault);
		}
		sleep_us(5000);
	}
	client_close(&client);
	return true;
}

bool server_start(struct server *server, const char *folder, const char *mosquitto, const char *extra_conf,
                  const struct pins *pins, struct fault *fault)
{
	*server = (struct server){.port = free_port()};
	if (mkdir(folder, 0700) != 0) {
		return fault_set(fault, "%s: %s", folder, strerror(errno));
	}
	snprintf(server->folder, sizeof(server->folder), "%s", folder);
	if (!write_conf(server, extra_conf, fault)) {
		goto fail;
	}
	server->pid = fork();
	if (server->pid == 0) {
		become_server(server, mosquitto, pins);
	}
	if (server->pid < 0) {
		server->pid = 0;
		fault_set(fault, "fork: %s", strerror(errno));
		goto fail;
	}
	if (!await_answer(server, fault)) {
		goto fail;
	}
	if (pins->pinned && sched_setaffinity(server->pid, sizeof(pins->broker), &pins->broker) != 0) {
		fault_set(fault, "sched_setaffinity: %s", strerror(errno));
		goto fail;
	}
	return true;
fail:
	server_remove(server);
	return false;
}

void server_go_first(const struct server *server)
{
	const struct sched_param parameters = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
	sched_setscheduler(server->pid, SCHED_FIFO, &parameters); /* of a process' id: its main thread alone */
}

/* ---- what it costs ---- */

static bool process_ns(const struct server *server, int64_t *out)
{
	clockid_t clock;
	struct timespec time;
	if (clock_getcpuclockid(server->pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
		return false;
	}
	*out = time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
	return true;
}

/* The state letter of the main thread, third field of its stat file behind the name in parentheses; 0: it has gone. */
static int main_thread_state(const struct server *server)
{
	char path[64];
	char line[512];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)server->pid, (int)server->pid);
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return 0;
	}
	char *end = fgets(line, sizeof(line), file) == NULL ? NULL : strrchr(line, ')');
	fclose(file);
	return end == NULL || strlen(end) < 3 ? 0 : end[2];
}

static bool main_thread_ns(const struct server *server, int64_t *out)
{
	char path[64];
	char line[128];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)server->pid, (int)server->pid);
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return false;
	}
	bool read = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	*out = read ? strtoll(line, NULL, 10) : 0;
	return read;
}

bool server_cpu_read(const struct server *server, struct server_cpu *cpu, struct fault *fault)
{
	int64_t deadline_ms = clock_ms() + SLEEP_TIMEOUT_MS;
	int state;
	while ((state = main_thread_state(server)) != 'S') {
		if (state == 0 || state == 'Z') {
			return fault_of_server(server, "the broker has gone", fault);
		}
		if (clock_ms() > deadline_ms) {
			return fault_of_server(server, "the broker does not come to rest", fault);
		}
		sleep_us(200);
	}
	if (!main_thread_ns(server, &cpu->main_ns) || !process_ns(server, &cpu->process_ns)) {
		return fault_of_server(server, "cannot read the broker's CPU time", fault);
	}
	return true;
}

static bool has_workers(const struct server *server)
{
	char path[64];
	struct stat folder;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)server->pid);
	return stat(path, &folder) == 0 && folder.st_nlink > 3; /* ".", ".." and one folder a thread */
}

bool server_settle(const struct server *server, struct fault *fault)
{
	int64_t before = 0;
	int64_t after = 0;
	int64_t deadline_ms = clock_ms() + SETTLE_TIMEOUT_MS;
	if (!has_workers(server)) {
		return true;
	}
	for (int quiet = 0; quiet < SETTLE_INTERVALS;) {
		if (!process_ns(server, &before)) {
			return fault_of_server(server, "the broker has gone", fault);
		}
		sleep_us(SETTLE_INTERVAL_MS * 1000L);
		if (!process_ns(server, &after) || clock_ms() > deadline_ms) {
			return fault_of_server(server, "the plugin's threads do not come to rest", fault);
		}
		quiet = after - before < SETTLE_INTERVAL_MS * INT64_C(1000000) / SETTLE_SHARE ? quiet + 1 : 0;
	}
	return true;
}

void server_version(const struct server *server, char *out, size_t size)
{
	static const char MARK[] = "mosquitto version ";
	char path[PATH_MAX + 16];
	char line[400];
	snprintf(out, size, "unknown");
	snprintf(path, sizeof(path), "%s/broker.log", server->folder);
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		const char *mark = strstr(line, MARK);
		if (mark != NULL) {
			mark += strlen(MARK);
			snprintf(out, size, "%.*s", (int)strcspn(mark, " \n"), mark);
			break;
		}
	}
	fclose(file);
}

/* ---- stopping ---- */

bool server_fault_add(struct server *server, struct fault *fault)
{
	struct fault reason = *fault;
	char what[sizeof(reason.text) + 64];
	int status = 0;
	const char *ended = "";
	if (server->pid > 0 && waitpid(server->pid, &status, WNOHANG) == server->pid) {
		server->pid = 0;
		ended = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it ended";
	}
	snprintf(what, sizeof(what), "%.300s%s%s", reason.text, ended[0] == '\0' ? "" : "; the broker is gone: ", ended);
	return fault_of_server(server, what, fault);
}

bool server_stop(struct server *server, struct fault *fault)
{
	int status = 0;
	int64_t deadline_ms = clock_ms() + STOP_TIMEOUT_MS;
	kill(server->pid, SIGTERM);
	while (waitpid(server->pid, &status, WNOHANG) == 0) {
		if (clock_ms() > deadline_ms) {
			return fault_of_server(server, "the broker does not stop", fault);
		}
		sleep_us(5000);
	}
	server->pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		return fault_of_server(server, "the broker ended badly", fault);
	}
	return true;
}

void server_remove(struct server *server)
{
	if (server->pid > 0) {
		kill(server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
		server->pid = 0;
	}
	place_remove(server->folder);
	server->folder[0] = '\0';
}
