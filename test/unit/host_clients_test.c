/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host_clients: the clients of a made-up process, then those of this one, with real sockets on the loopback interface.
 */
#include "host_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- clients of a made-up process ---- */

#define LINKS_MAX 8

#define QUEUES    "00000000:00000000 00:00000000 00000000     0        0 "
#define MORE      " 1 000000002b60e236 20 4 30 10 -1\n"
#define HEADING_4 "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define HEADING_6                                                                                                      \
	"  sl  local_address                         remote_address                        st tx_queue rx_queue tr "       \
	"tm->when retrnsmt   uid  timeout inode\n"
#define ROW_4(port, state, inode) "   0: 0100007F:" port " 0100007F:C350 " state " " QUEUES inode MORE
#define ROW_6(port, state, inode)                                                                                      \
	"1234: 00000000000000000000000001000000:" port " 00000000000000000000000001000000:C350 " state " " QUEUES inode MORE
#define MQTT      "075B"
#define HTTP      "1F90"
#define LISTENING ROW_4(MQTT, "0A", "10")

static const struct {
	const char *what;
	const char *link[LINKS_MAX];
	const char *tcp;
	const char *tcp6;
	double wanted;
} clients_rows[] = {
	{"one", {"socket:[10]", "socket:[11]"}, HEADING_4 LISTENING ROW_4(MQTT, "01", "11"), NULL, 1.0},
	{"IPv6 alone",
     {"socket:[10]", "socket:[11]"},
     NULL,
     HEADING_6 ROW_6(MQTT, "0A", "10") ROW_6(MQTT, "01", "11"),
     1.0},
	{"both, and IPv4 clients of an IPv6 listener",
     {"socket:[10]", "socket:[11]", "socket:[12]"},
     HEADING_4 ROW_4(MQTT, "01", "11"),
     HEADING_6 ROW_6(MQTT, "0A", "10") ROW_6(MQTT, "01", "12"),
     2.0},
	{"two ports, the listener below its clients",
     {"socket:[13]", "socket:[12]", "socket:[11]", "socket:[10]"},
     HEADING_4 ROW_4(MQTT, "01", "11") ROW_4(HTTP, "01", "13") ROW_4(HTTP, "0A", "12") LISTENING,
     NULL,
     2.0},
	{"others' sockets",
     {"socket:[10]", "socket:[11]"},
     HEADING_4 LISTENING ROW_4(MQTT, "01", "111") ROW_4(MQTT, "01", "1") ROW_4(MQTT, "01", "11"),
     NULL,
     1.0},
	{"others' listener", {"socket:[11]"}, HEADING_4 LISTENING ROW_4(MQTT, "01", "11"), NULL, 0.0},
	{"connections of our own to elsewhere",
     {"socket:[10]", "socket:[11]"},
     HEADING_4 LISTENING ROW_4("C350", "01", "11"),
     NULL,
     0.0},
	{"not accepted yet", {"socket:[10]", "socket:[0]"}, HEADING_4 LISTENING ROW_4(MQTT, "01", "0"), NULL, 0.0},
	{"other states",
     {"socket:[10]", "socket:[11]", "socket:[12]", "socket:[13]"},
     HEADING_4 LISTENING ROW_4(MQTT, "08", "11") ROW_4(MQTT, "06", "12") ROW_4(MQTT, "0B", "13"),
     NULL,
     0.0},
	{"a socket under three descriptors",
     {"socket:[11]", "socket:[10]", "socket:[11]", "socket:[10]", "socket:[11]"},
     HEADING_4 LISTENING ROW_4(MQTT, "01", "11"),
     NULL,
     1.0},
	{"a row listed twice",
     {"socket:[10]", "socket:[11]"},
     HEADING_4 LISTENING LISTENING ROW_4(MQTT, "01", "11") ROW_4(MQTT, "01", "11"),
     NULL,
     1.0},
	{"the highest port and a long inode",
     {"socket:[999999999999999999]", "socket:[11]"},
     HEADING_4 ROW_4("FFFF", "0A", "999999999999999999") ROW_4("FFFF", "01", "11"),
     NULL,
     1.0},
	{"descriptors that are no sockets",
     {"/dev/null", "pipe:[11]", "socket:[11", "socket:[11 ]", "socket:[x]", "socket:[11x]", "socket:(11]",
      "socket:[10]"},
     HEADING_4 LISTENING ROW_4(MQTT, "01", "11") ROW_4(MQTT, "01", "1"),
     NULL,
     0.0},
	{"link texts too long",
     {"socket:[10]", "socket:[0000000000000000000000000000000000000000000000000000000000000011]",
      "socket:[99999999999999999999]", "socket:[                                                     11]x"},
     HEADING_4 LISTENING ROW_4(MQTT, "01", "11") ROW_4(MQTT, "01", "1"),
     NULL,
     0.0},
	{"no descriptors", {NULL}, HEADING_4 LISTENING, NULL, 0.0},
	{"a short port that would be a listener's",
     {"socket:[10]", "socket:[11]"},
     HEADING_4 ROW_4("0075", "0A", "10") "0: 0100007F:75   0 01 0 0 0 0 0 11\n",
     NULL,
     0.0},
	{"no rows", {"socket:[10]"}, HEADING_4, NULL, 0.0},
	{"no tables", {"socket:[10]"}, NULL, NULL, UNKNOWN},
	{"empty tables", {"socket:[10]"}, "", "", UNKNOWN},
	{"a heading cut off", {"socket:[10]"}, "  sl  local_address rem_add", NULL, UNKNOWN},
	{"another heading", {"socket:[10]"}, "Iface Destination\n" LISTENING, "\x7f\x45\x4c\x46\n", UNKNOWN},
	{"one good table", {"socket:[10]", "socket:[11]"}, HEADING_4 LISTENING ROW_4(MQTT, "01", "11"), "?\n", 1.0},
	{"garbage among the rows",
     {"socket:[10]", "socket:[11]", "socket:[12]"},
     HEADING_4 "\n:\nx x x x x x x x x 12\n" LISTENING "   1:\n   1: 0100007F\n   1: 0100007F:075B\n\xff\xfe\x01\n"
               "   1: 0100007F:075B 0 01 0 0 0 0 0\n" ROW_4(MQTT, "01", "11"),
     NULL,
     1.0},
	{"fields that are not as they should be",
     {"socket:[10]", "socket:[11]"},
     HEADING_4 LISTENING ROW_4("75B", "01", "11") ROW_4("0075B", "01", "11") ROW_4("075G", "01", "11")
         ROW_4("075BG", "01", "11") ROW_4(MQTT, "1", "11") ROW_4(MQTT, "001", "11") ROW_4(MQTT, "0x", "11")
             ROW_4(MQTT, "01", "-11") ROW_4(MQTT, "01", "11.") ROW_4(
				 MQTT, "01",
				 "18446744073709551627") "0: 7F:075B 0 01 0 0 0 0 0 11\n"
                                         "0: 0100007F.075B 0 01 0 0 0 0 0 11\n0: 0100007F:75B  0 01 0 0 0 0 0 11\n",
     NULL,
     0.0},
	{"a last row cut off",
     {"socket:[10]", "socket:[11]"},
     HEADING_4 LISTENING "0: 0100007F:075B 0 01 0 0 0 0 0 11",
     NULL,
     0.0},
	{"a row that ends behind the inode",
     {"socket:[10]", "socket:[11]"},
     HEADING_4 LISTENING "0: 0100007F:075B 0 01 0 0 0 0 0 11\n",
     NULL,
     1.0},
};

static void put_link(size_t number, const char *target)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%zu", number);
	if (target)
		assert_int_equal(symlink(target, machine_path(path)), 0);
	else
		assert_true(unlink(machine_path(path)) == 0 || errno == ENOENT);
}

static void test_clients_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(clients_rows); i++) {
		double found;

		for (size_t number = 0; number < LINKS_MAX && clients_rows[i].link[number]; number++)
			put_link(number, clients_rows[i].link[number]);
		machine_put("/proc/net/tcp", clients_rows[i].tcp);
		machine_put("/proc/net/tcp6", clients_rows[i].tcp6);
		found = machine_gauge(HOST_CLIENTS);
		for (size_t number = 0; number < LINKS_MAX; number++)
			put_link(number, NULL);
		assert_gauge(clients_rows[i].what, found, clients_rows[i].wanted);
	}
}

/* Wherever a table ends, and whichever byte of it is wrong, no client is made up. */
static void test_clients_damaged_table(void **state)
{
	static const char table[] = HEADING_4 LISTENING ROW_4(MQTT, "01", "11") ROW_4(MQTT, "01", "12");
	static const char wrong[] = {'\0', '\n', ' ', ':', '0', 'F', '\xff'};
	const size_t len = sizeof(table) - 1;
	const size_t row_len = sizeof(LISTENING) - 1;
	char damaged[sizeof(table)];

	(void)state;
	machine_put("/proc/net/tcp6", NULL);
	put_link(0, "socket:[10]");
	put_link(1, "socket:[11]");
	put_link(2, "socket:[12]");
	for (size_t cut = 0; cut <= len; cut++) {
		double wanted = cut < sizeof(HEADING_4) - 1 ? UNKNOWN : 0.0;

		if (cut >= len - row_len)
			wanted = cut == len ? 2.0 : 1.0;
		machine_put_bytes("/proc/net/tcp", table, cut);
		assert_gauge("cut off", machine_gauge(HOST_CLIENTS), wanted);
	}
	for (size_t i = 0; i < len * sizeof(wrong); i++) {
		memcpy(damaged, table, sizeof(table));
		damaged[i / sizeof(wrong)] = wrong[i % sizeof(wrong)];
		machine_put_bytes("/proc/net/tcp", damaged, len);
		assert_true(machine_gauge(HOST_CLIENTS) <= 2.0);
	}
	for (size_t number = 0; number < 3; number++)
		put_link(number, NULL);
}

static void test_clients_long_line(void **state)
{
	FILE *file = fopen(machine_path("/proc/net/tcp"), "w");

	(void)state;
	assert_non_null(file);
	assert_true(fputs(HEADING_4 LISTENING, file) >= 0);
	for (int n = 0; n < 1 << 20; n++)
		assert_int_equal(putc(n % 3 ? '1' : ' ', file), n % 3 ? '1' : ' ');
	assert_true(fputs("\n" ROW_4(MQTT, "01", "11"), file) >= 0);
	assert_int_equal(fclose(file), 0);
	put_link(0, "socket:[10]");
	put_link(1, "socket:[11]");
	assert_gauge("behind a long line", machine_gauge(HOST_CLIENTS), 1.0);
	put_link(0, NULL);
	put_link(1, NULL);
}

/* Neither folders in the files' place nor files in the folders' are an answer. */
static void test_clients_without_proc(void **state)
{
	(void)state;
	machine_put("/proc/net/tcp", HEADING_4 LISTENING);
	machine_put("/proc/net/tcp6", NULL);
	assert_gauge("as it should be", machine_gauge(HOST_CLIENTS), 0.0);
	assert_int_equal(rmdir(machine_path("/proc/self/fd")), 0);
	assert_gauge("no descriptors", machine_gauge(HOST_CLIENTS), UNKNOWN);
	machine_put("/proc/self/fd", "socket:[10]");
	assert_gauge("a file for the descriptors", machine_gauge(HOST_CLIENTS), UNKNOWN);
	machine_put("/proc/self/fd", NULL);
	assert_int_equal(mkdir(machine_path("/proc/self/fd"), 0700), 0);
	assert_int_equal(mkdir(machine_path("/proc/self/fd/3"), 0700), 0);
	assert_gauge("a folder for a descriptor", machine_gauge(HOST_CLIENTS), 0.0);
	assert_int_equal(rmdir(machine_path("/proc/self/fd/3")), 0);
	machine_put("/proc/net/tcp", NULL);
	assert_int_equal(mkdir(machine_path("/proc/net/tcp"), 0700), 0);
	assert_gauge("a folder for the table", machine_gauge(HOST_CLIENTS), UNKNOWN);
	assert_int_equal(rmdir(machine_path("/proc/net/tcp")), 0);
}

/* ---- clients of this process, real sockets on the loopback interface ---- */

#define CLIENTS_MAX 40

static double clients_now(void)
{
	struct host *host = host_new("", "/");
	struct host_sample sample;

	host_take(host, &sample);
	host_free(host);
	return gauge_of(&sample, HOST_CLIENTS);
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Listens on a free loopback port. −1 if the machine lacks the family. */
static int listen_on(int family, union address *address, socklen_t *len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	memset(address, 0, sizeof(*address));
	address->any.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		address->v6.sin6_addr = in6addr_loopback;
	*len = family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);
	if (bind(fd, &address->any, *len) != 0 || listen(fd, CLIENTS_MAX) != 0 ||
	    getsockname(fd, &address->any, len) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int connect_to(const union address *address, socklen_t len)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &address->any, len), 0);
	return fd;
}

/* A loopback connection is established at once at both ends, a closed one gone only once its peer has heard. */
static void assert_clients(const char *what, double wanted)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	time_t deadline = time(NULL) + 10;
	double found = clients_now();

	while ((found < wanted || found > wanted) && time(NULL) < deadline) {
		nanosleep(&pause, NULL);
		found = clients_now();
	}
	assert_gauge(what, found, wanted);
}

static void clients_of_family(int family)
{
	union address address = {0};
	socklen_t len = 0;
	int client[CLIENTS_MAX] = {0};
	int accepted[CLIENTS_MAX] = {0};
	int datagrams = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int listener = listen_on(family, &address, &len);
	int twin;

	if (listener < 0) {
		close(datagrams);
		skip();
	}
	assert_clients("a listener alone", 0.0);
	for (int i = 0; i < CLIENTS_MAX; i++)
		client[i] = connect_to(&address, len);
	assert_clients("connected, none accepted yet", 0.0);
	for (int i = 0; i < CLIENTS_MAX; i++) {
		accepted[i] = accept(listener, NULL, NULL);
		assert_true(accepted[i] >= 0);
		if (i == 4)
			assert_clients("five accepted", 5.0);
	}
	assert_clients("all accepted", CLIENTS_MAX);
	twin = dup(accepted[2]);
	assert_true(twin >= 0);
	assert_clients("one of them under two descriptors", CLIENTS_MAX);
	close(accepted[2]);
	assert_clients("under the other one", CLIENTS_MAX);
	accepted[2] = twin;
	close(client[0]);
	assert_clients("a client left, and was not closed here yet", CLIENTS_MAX - 1);
	close(accepted[0]);
	close(accepted[1]);
	assert_clients("two closed here", CLIENTS_MAX - 2);
	close(listener);
	assert_clients("nobody listens", 0.0);
	close(client[1]);
	for (int i = 2; i < CLIENTS_MAX; i++) {
		close(client[i]);
		close(accepted[i]);
	}
	close(datagrams);
}

static void test_clients_v4(void **state)
{
	(void)state;
	clients_of_family(AF_INET);
}

static void test_clients_v6(void **state)
{
	(void)state;
	clients_of_family(AF_INET6);
}

struct onlooker {
	sem_t unshared;
	sem_t opened;
	int listener; /* the main thread's */
	int unshare_error;
	int listener_error; /* what the listener's number means to this thread */
	double clients;
};

static void *onlooker_run(void *argument)
{
	struct onlooker *onlooker = argument;
	int type;
	socklen_t len = sizeof(type);

	onlooker->unshare_error = unshare(CLONE_FILES) == 0 ? 0 : errno;
	sem_post(&onlooker->unshared);
	while (sem_wait(&onlooker->opened) != 0)
		continue;
	onlooker->listener_error = getsockopt(onlooker->listener, SOL_SOCKET, SO_TYPE, &type, &len) == 0 ? 0 : errno;
	onlooker->clients = clients_now();
	return NULL;
}

/* A thread with descriptors of its own, none of them the sockets', counts the main thread's. */
static void test_clients_from_unshared_thread(void **state)
{
	struct onlooker onlooker = {0};
	union address address = {0};
	socklen_t len = 0;
	pthread_t thread;
	int client[3] = {0};
	int accepted[3] = {0};

	(void)state;
	assert_int_equal(sem_init(&onlooker.unshared, 0, 0), 0);
	assert_int_equal(sem_init(&onlooker.opened, 0, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, onlooker_run, &onlooker), 0);
	while (sem_wait(&onlooker.unshared) != 0)
		continue;
	onlooker.listener = listen_on(AF_INET, &address, &len);
	for (size_t i = 0; i < COUNT(client); i++) {
		client[i] = connect_to(&address, len);
		accepted[i] = accept(onlooker.listener, NULL, NULL);
	}
	sem_post(&onlooker.opened);
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (size_t i = 0; i < COUNT(client); i++) {
		close(client[i]);
		close(accepted[i]);
	}
	close(onlooker.listener);
	sem_destroy(&onlooker.unshared);
	sem_destroy(&onlooker.opened);
	if (onlooker.unshare_error == EPERM) /* a container's system call filter */
		skip();
	assert_int_equal(onlooker.unshare_error, 0);
	assert_int_equal(onlooker.listener_error, EBADF);
	assert_gauge("from an unshared thread", onlooker.clients, 3.0);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients_v4),
		cmocka_unit_test(test_clients_v6),
		cmocka_unit_test(test_clients_without_proc),
		cmocka_unit_test(test_clients_tables),
		cmocka_unit_test(test_clients_damaged_table),
		cmocka_unit_test(test_clients_long_line),
		cmocka_unit_test(test_clients_from_unshared_thread),
	};
	return cmocka_run_group_tests_name("host_clients", tests, machine_make, machine_remove);
}
