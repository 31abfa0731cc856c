/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See mariadb_server.h. */
#include "mariadb_server_internal.h"

#include "patience.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <mariadb/mysql.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS   60000 /* it may have to recover */
#define STOP_MS    60000
#define PORT_TRIES 5

static struct mariadb_server *servers;

bool mariadb_server_fault(struct mariadb_server *server, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(server->error, sizeof(server->error), format, arguments);
	va_end(arguments);
	server->error[strcspn(server->error, "\n")] = '\0';
	return false;
}

const char *mariadb_server_error(const struct mariadb_server *server)
{
	return server == NULL ? "no memory or no temporary folder" : server->error;
}

const char *mariadb_server_owner(const struct mariadb_server *server)
{
	return server->user;
}

const char *mariadb_server_folder(const struct mariadb_server *server)
{
	return server->folder;
}

const char *mariadb_server_data(const struct mariadb_server *server)
{
	return server->data;
}

const char *mariadb_server_socket(const struct mariadb_server *server)
{
	return server->socket;
}

int mariadb_server_port(const struct mariadb_server *server)
{
	return server->port;
}

/* ---- files ---- */

/* A file's text, which the caller frees; NULL: there is none. */
static char *read_text(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (in == NULL)
		return NULL;
	if (getdelim(&text, &size, '\0', in) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(in);
	return text;
}

/* The last line that holds this text and says more than that it was the last, or NULL. Cuts the text up. */
static char *last_line(char *text, const char *with)
{
	char *found = NULL, *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		if (strstr(line, with) != NULL && strstr(line, "[ERROR] Aborting") == NULL)
			found = line;
	return found;
}

char *mariadb_server_log(struct mariadb_server *server)
{
	return read_text(server->log);
}

/* All but the folder itself, which may be a mount point. */
static int remove_entry(const char *path, const struct stat *file, int kind, struct FTW *walk)
{
	(void)file;
	(void)kind;
	if (walk->level > 0)
		remove(path);
	return 0;
}

/* ---- processes ---- */

const char *mariadb_server_program_name(const char *variable, const char *usual)
{
	const char *name = getenv(variable);

	return name == NULL || name[0] == '\0' ? usual : name;
}

/* Starts a program that dies with this thread; in or out NULL: /dev/null. 0: no process. */
static pid_t spawn(const char *const arguments[], const char *in, const char *out, const char *complaints)
{
	pid_t parent = getpid(), pid = fork();
	int fds[3];

	if (pid != 0)
		return pid < 0 ? 0 : pid;
	fds[0] = open(in == NULL ? "/dev/null" : in, O_RDONLY);
	fds[1] = open(out == NULL ? "/dev/null" : out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	fds[2] = open(complaints, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < 3; i++)
		if (fds[i] < 0 || dup2(fds[i], i) < 0)
			_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	execvp(arguments[0], (char *const *)arguments);
	dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
	_exit(127);
}

bool mariadb_server_program(struct mariadb_server *server, const char *const arguments[], const char *in,
                            const char *out)
{
	char complaints[96];
	char *text, *line;
	int status = 0;
	pid_t pid;

	snprintf(complaints, sizeof(complaints), "%s/complaints", server->folder);
	pid = spawn(arguments, in, out, complaints);
	if (pid == 0)
		return mariadb_server_fault(server, "fork: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return mariadb_server_fault(server, "waitpid: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	text = read_text(complaints);
	line = text == NULL ? NULL : last_line(text, "");
	mariadb_server_fault(server, "%s: %s", arguments[0], line == NULL ? "failed" : line);
	free(text);
	return false;
}

/* ---- new and free ---- */

static bool install(struct mariadb_server *server)
{
	char data[PATH_MAX + 16], user[96], temporary[PATH_MAX + 16];
	const char *const arguments[] = {mariadb_server_program_name("MARIADB_INSTALL_DB", "mariadb-install-db"),
	                                 "--no-defaults",
	                                 "--auth-root-authentication-method=socket",
	                                 "--skip-test-db",
	                                 "--skip-log-bin",
	                                 "--innodb-log-file-size=16M",
	                                 temporary,
	                                 data,
	                                 user,
	                                 NULL};

	/* A server that starts removes what others have in a temporary folder that they share. */
	snprintf(temporary, sizeof(temporary), "--tmpdir=%s", server->folder);
	snprintf(data, sizeof(data), "--datadir=%s", server->data);
	snprintf(user, sizeof(user), "--user=%s", server->user);
	return mariadb_server_program(server, arguments, NULL, NULL);
}

struct mariadb_server *mariadb_server_new(const char *data)
{
	const char *temporary = getenv("TMPDIR");
	const struct passwd *account = getpwuid(geteuid());
	struct mariadb_server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		return NULL;
	if (temporary == NULL || strlen(temporary) > 32)
		temporary = "/tmp";
	snprintf(server->folder, sizeof(server->folder), "%s/hearth-maria-XXXXXX", temporary);
	if (mkdtemp(server->folder) == NULL) {
		free(server);
		return NULL;
	}
	if (servers == NULL)
		atexit(mariadb_server_free_all);
	server->owner = getpid();
	server->next = servers;
	servers = server;
	snprintf(server->user, sizeof(server->user), "%s", account == NULL ? "root" : account->pw_name);
	snprintf(server->socket, sizeof(server->socket), "%s/socket", server->folder);
	snprintf(server->log, sizeof(server->log), "%s/server.log", server->folder);
	server->data_is_given = data != NULL;
	if (data != NULL)
		snprintf(server->data, sizeof(server->data), "%s", data);
	else
		snprintf(server->data, sizeof(server->data), "%s/data", server->folder);
	if (mkdir(server->data, 0700) != 0 && errno != EEXIST)
		mariadb_server_fault(server, "%s: %s", server->data, strerror(errno));
	else
		install(server);
	return server;
}

void mariadb_server_free(struct mariadb_server *server)
{
	struct mariadb_server **link = &servers;

	if (server == NULL)
		return;
	while (*link != server)
		link = &(*link)->next;
	*link = server->next;
	if (server->owner == getpid()) {
		if (server->pid != 0)
			mariadb_server_kill(server);
		if (server->data_is_given)
			nftw(server->data, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
		nftw(server->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
		rmdir(server->folder);
	}
	mariadb_server_options_clear(server);
	free(server);
}

void mariadb_server_free_all(void)
{
	while (servers != NULL)
		mariadb_server_free(servers);
}

/* ---- options ---- */

bool mariadb_server_option(struct mariadb_server *server, const char *format, ...)
{
	va_list arguments;
	char *option = NULL;
	int len;

	if (server->option_count == OPTIONS_MAX)
		return mariadb_server_fault(server, "too many options");
	va_start(arguments, format);
	len = vasprintf(&option, format, arguments);
	va_end(arguments);
	if (len < 0)
		return mariadb_server_fault(server, "no memory");
	server->options[server->option_count++] = option;
	return true;
}

void mariadb_server_options_clear(struct mariadb_server *server)
{
	while (server->option_count > 0)
		free(server->options[--server->option_count]);
}

/* A port that nobody has at this moment; 0: none. */
static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

	if (fd < 0)
		return 0;
	if (bind(fd, (struct sockaddr *)&address, len) == 0 && getsockname(fd, (struct sockaddr *)&address, &len) == 0)
		port = ntohs(address.sin_port);
	close(fd);
	return port;
}

bool mariadb_server_listen(struct mariadb_server *server)
{
	if (server->port == 0)
		server->port = free_port();
	return server->port != 0 || mariadb_server_fault(server, "no free port: %s", strerror(errno));
}

/* ---- start ---- */

bool mariadb_server_launch(struct mariadb_server *server)
{
	const char *arguments[32 + OPTIONS_MAX];
	char data[PATH_MAX + 16], own[6][128], complaints[96];
	size_t count = 0;

	if (server->pid != 0)
		return mariadb_server_fault(server, "it runs already");
	snprintf(data, sizeof(data), "--datadir=%s", server->data);
	snprintf(own[0], sizeof(own[0]), "--user=%s", server->user);
	snprintf(own[1], sizeof(own[1]), "--socket=%s", server->socket);
	snprintf(own[2], sizeof(own[2]), "--pid-file=%s/pid", server->folder);
	snprintf(own[3], sizeof(own[3]), "--log-error=%s", server->log);
	snprintf(own[4], sizeof(own[4]), "--tmpdir=%s", server->folder);
	if (server->port == 0)
		snprintf(own[5], sizeof(own[5]), "--skip-networking");
	else
		snprintf(own[5], sizeof(own[5]), "--port=%d", server->port);
	arguments[count++] = mariadb_server_program_name("MARIADBD", "/usr/sbin/mariadbd");
	arguments[count++] = "--no-defaults";
	arguments[count++] = data;
	for (size_t i = geteuid() == 0 ? 0 : 1; i < 6; i++)
		arguments[count++] = own[i];
	arguments[count++] = "--bind-address=127.0.0.1";
	arguments[count++] = "--skip-log-bin";
	arguments[count++] = "--performance-schema=OFF";
	arguments[count++] = "--innodb-buffer-pool-size=64M";
	arguments[count++] = "--innodb-log-file-size=16M";
	arguments[count++] = "--innodb-buffer-pool-load-at-startup=OFF";
	arguments[count++] = "--innodb-buffer-pool-dump-at-shutdown=OFF";
	for (size_t i = 0; i < server->option_count; i++)
		arguments[count++] = server->options[i];
	arguments[count] = NULL;

	unlink(server->log);
	unlink(server->socket); /* that of one that was killed */
	snprintf(complaints, sizeof(complaints), "%s/complaints", server->folder);
	server->frozen = false;
	server->pid = spawn(arguments, NULL, NULL, complaints);
	return server->pid != 0 || mariadb_server_fault(server, "fork: %s", strerror(errno));
}

/* What it said before it ended, from its log, else from what it wrote before it had one. */
static bool set_last_words(struct mariadb_server *server, const char *what)
{
	char complaints[96], *log = mariadb_server_log(server), *text, *line;

	snprintf(complaints, sizeof(complaints), "%s/complaints", server->folder);
	text = read_text(complaints);
	line = log == NULL ? NULL : last_line(log, "[ERROR]");
	if (line == NULL && text != NULL)
		line = last_line(text, "");
	mariadb_server_fault(server, "%s; it last said: %s", what, line == NULL ? "nothing" : line);
	free(log);
	free(text);
	return false;
}

bool mariadb_server_runs(struct mariadb_server *server)
{
	if (server->pid != 0 && waitpid(server->pid, NULL, WNOHANG) != 0)
		server->pid = 0;
	return server->pid != 0;
}

bool mariadb_server_await(struct mariadb_server *server)
{
	int64_t deadline = deadline_in(START_MS);
	MYSQL *link;

	while (access(server->socket, F_OK) != 0 || (link = mariadb_server_connect(server, NULL, NULL, NULL)) == NULL) {
		if (!mariadb_server_runs(server))
			return set_last_words(server, "the server did not start");
		if (now_ms() > deadline)
			return set_last_words(server, "the server does not answer");
		look_again();
	}
	mysql_close(link);
	return true;
}

/* Somebody may have taken the port; a server that had none so far can have another. */
static bool port_is_taken(struct mariadb_server *server)
{
	char *log = mariadb_server_log(server);
	bool taken = log != NULL && strstr(log, "Address already in use") != NULL;

	free(log);
	return taken;
}

bool mariadb_server_start(struct mariadb_server *server)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		if (!mariadb_server_launch(server))
			return false;
		if (mariadb_server_await(server))
			return true;
		if (mariadb_server_runs(server) || !port_is_taken(server))
			return false;
	}
	return false;
}

/* ---- signals ---- */

static bool send_signal(struct mariadb_server *server, int number)
{
	if (!mariadb_server_runs(server))
		return set_last_words(server, "it does not run");
	return kill(server->pid, number) == 0 || mariadb_server_fault(server, "kill: %s", strerror(errno));
}

bool mariadb_server_kill(struct mariadb_server *server)
{
	if (!send_signal(server, SIGKILL))
		return false;
	while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
		;
	server->pid = 0;
	return true;
}

bool mariadb_server_stop(struct mariadb_server *server)
{
	int64_t deadline = deadline_in(STOP_MS);
	int status = 0;

	if (server->frozen && !mariadb_server_thaw(server))
		return false;
	if (!send_signal(server, SIGTERM))
		return false;
	while (waitpid(server->pid, &status, WNOHANG) == 0) {
		if (now_ms() > deadline)
			return set_last_words(server, "the server does not stop");
		look_again();
	}
	server->pid = 0;
	return status == 0 || set_last_words(server, "the server ended badly");
}

bool mariadb_server_freeze(struct mariadb_server *server)
{
	int status;

	if (!send_signal(server, SIGSTOP))
		return false;
	/* It goes on for a moment: all its threads have to be told. */
	while (waitpid(server->pid, &status, WUNTRACED) < 0)
		if (errno != EINTR)
			return mariadb_server_fault(server, "waitpid: %s", strerror(errno));
	if (!WIFSTOPPED(status)) {
		server->pid = 0;
		return set_last_words(server, "it has ended");
	}
	server->frozen = true;
	return true;
}

bool mariadb_server_thaw(struct mariadb_server *server)
{
	server->frozen = false;
	return send_signal(server, SIGCONT);
}
