/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host: made-up /proc and /sys files in a folder of their own, good and bad, and then the machine the test runs on.
 */
#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define UNKNOWN      (-1e9)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- a made-up machine ---- */

static char root[64];

static const char *const folders[] = {"/proc", "/proc/self", "/sys", "/sys/class", "/sys/class/thermal"};
static const char *const zones[] = {"/sys/class/thermal/thermal_zone0", "/sys/class/thermal/thermal_zone1",
                                    "/sys/class/thermal/thermal_zone10", "/sys/class/thermal/cooling_device0"};

static char *path_in_root(const char *path)
{
	static char full[512];
	snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

/* Makes a file in the root; NULL text: removes it. */
static void put_bytes(const char *path, const char *text, size_t len)
{
	FILE *file;

	if (!text) {
		assert_true(unlink(path_in_root(path)) == 0 || errno == ENOENT || errno == ENOTDIR);
		return;
	}
	file = fopen(path_in_root(path), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, text ? strlen(text) : 0);
}

static void put_zone(size_t zone, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/temp", zones[zone]);
	if (text)
		mkdir(path_in_root(zones[zone]), 0700);
	put(path, text);
	if (!text)
		rmdir(path_in_root(zones[zone]));
}

static int make_root(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof(root), "%s/hearth-host-XXXXXX", tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < COUNT(folders); i++)
		if (mkdir(path_in_root(folders[i]), 0700) != 0)
			return -1;
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	put("/proc/stat", NULL);
	put("/proc/meminfo", NULL);
	for (size_t i = 0; i < COUNT(zones); i++)
		put_zone(i, NULL);
	for (size_t i = COUNT(folders); i > 0; i--)
		rmdir(path_in_root(folders[i - 1]));
	return rmdir(root);
}

static double gauge_of(const struct host_sample *sample, enum host_gauge gauge)
{
	return sample->known[gauge] ? sample->value[gauge] : UNKNOWN;
}

static double take_one(enum host_gauge gauge)
{
	struct host *host = host_new(root, "/");
	struct host_sample sample;

	assert_non_null(host);
	host_take(host, &sample);
	host_free(host);
	return gauge_of(&sample, gauge);
}

/* A sample is rounded to 0.1, so equal numbers are equal bytes. */
static void assert_gauge(const char *what, double found, double wanted)
{
	if (found < wanted || found > wanted)
		fail_msg("%s: found %g, wanted %g", what, found, wanted);
}

/* ---- CPU ---- */

static const struct {
	const char *what;
	const char *first;
	const char *second;
	double wanted;
} cpu_rows[] = {
	{"half busy", "cpu  100 0 100 800 0 0 0 0 0 0\n", "cpu  125 0 125 850 0 0 0 0 0 0\n", 50.0},
	{"waiting for a disk is idle", "cpu  0 0 0 0 0 0 0 0 0 0\n", "cpu  10 0 0 40 50 0 0 0 0 0\n", 10.0},
	{"all kinds of busy", "cpu  0 0 0 0 0 0 0 0 0 0\n", "cpu  1 2 3 90 5 4 5 6 0 0\n", 18.1},
	{"guests are within user", "cpu  0 0 0 0 0 0 0 0 0 0\n", "cpu  50 0 0 50 0 0 0 0 50 0\n", 50.0},
	{"idle", "cpu  7 0 0 100 0 0 0 0 0 0\n", "cpu  7 0 0 200 0 0 0 0 0 0\n", 0.0},
	{"busy", "cpu  7 0 0 100 0 0 0 0 0 0\n", "cpu  9 0 0 100 0 0 0 0 0 0\n", 100.0},
	{"rounded", "cpu  0 0 0 0\n", "cpu  1 0 0 2\n", 33.3},
	{"four fields", "cpu  0 0 0 0\n", "cpu 10 10 10 70\n", 30.0},
	{"the cores are not counted twice", "cpu  0 0 0 0\ncpu0 0 0 0 0\n", "cpu  10 0 0 90\ncpu0 90 0 0 10\n", 10.0},
	{"not the first line", "intr 5\ncpu  0 0 0 0\n", "intr 6\ncpu  10 0 0 90\n", 10.0},
	{"more fields than are known", "cpu  0 0 0 0 0 0 0 0 0 0 0 0\n", "cpu  1 0 0 9 0 0 0 0 0 0 7 8\n", 10.0},
	{"a bad first sample", "cpu  x\n", "cpu  10 0 0 90\n", UNKNOWN},
	{"nothing happened", "cpu  1 1 1 1\n", "cpu  1 1 1 1\n", UNKNOWN},
	{"counters fell", "cpu  9 9 9 9\n", "cpu  1 1 1 1\n", UNKNOWN},
	{"busy fell", "cpu  9 9 9 9\n", "cpu  1 1 1 99\n", UNKNOWN},
	{"idle fell", "cpu  0 0 0 90\n", "cpu  100 0 0 50\n", UNKNOWN},
	{"empty", "", "", UNKNOWN},
	{"missing", NULL, NULL, UNKNOWN},
	{"three fields", "cpu  0 0 0\n", "cpu  10 10 10\n", UNKNOWN},
	{"cut off", "cpu  0 0 0 0\n", "cpu  10 0 0 90", UNKNOWN},
	{"negative", "cpu  0 0 0 0\n", "cpu  10 0 -1 90\n", UNKNOWN},
	{"fractions", "cpu  0 0 0 0\n", "cpu  10 0 0 90.5\n", UNKNOWN},
	{"words", "cpu  0 0 0 0\n", "cpu  ten 0 0 90\n", UNKNOWN},
	{"a word behind", "cpu  0 0 0 0\n", "cpu  10 0 0 90 x\n", UNKNOWN},
	{"beyond 64 bits", "cpu  0 0 0 0\n", "cpu  99999999999999999999 0 0 90\n", UNKNOWN},
	{"cores only", "cpu0 0 0 0 0\n", "cpu0 10 0 0 90\n", UNKNOWN},
};

static void test_cpu(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cpu_rows); i++) {
		struct host *host = host_new(root, "/");
		struct host_sample sample;

		put("/proc/stat", cpu_rows[i].first);
		host_take(host, &sample);
		assert_false(sample.known[HOST_CPU]);
		put("/proc/stat", cpu_rows[i].second);
		host_take(host, &sample);
		assert_gauge(cpu_rows[i].what, gauge_of(&sample, HOST_CPU), cpu_rows[i].wanted);
		host_free(host);
	}
}

/* After a sample that could not be read, and after the counters fell, the next ones are good again. */
static void test_cpu_recovers(void **state)
{
	static const struct {
		const char *text;
		double wanted;
	} rows[] = {{"cpu  0 0 0 100\n", UNKNOWN}, {"cpu  10 0 0 190\n", 10.0},  {"rubbish\n", UNKNOWN},
	            {"cpu  60 0 0 340\n", 25.0},   {"cpu  0 0 0 10\n", UNKNOWN}, {"cpu  1 0 0 11\n", 50.0}};
	struct host *host = host_new(root, "/");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct host_sample sample;

		put("/proc/stat", rows[i].text);
		host_take(host, &sample);
		assert_gauge(rows[i].text, gauge_of(&sample, HOST_CPU), rows[i].wanted);
	}
	host_free(host);
}

/* ---- memory ---- */

static const struct {
	const char *what;
	const char *text;
	double wanted;
} memory_rows[] = {
	{"a quarter", "MemTotal:       4000 kB\nMemFree:        1 kB\nMemAvailable:   3000 kB\nSwapTotal: 0 kB\n", 25.0},
	{"another order", "MemAvailable: 500 kB\nMemTotal: 1000 kB\n", 50.0},
	{"rounded", "MemTotal: 3 kB\nMemAvailable: 1 kB\n", 66.7},
	{"all", "MemTotal: 3 kB\nMemAvailable: 0 kB\n", 100.0},
	{"none", "MemTotal: 3 kB\nMemAvailable: 3 kB\n", 0.0},
	{"the first counts", "MemTotal: 4 kB\nMemAvailable: 3 kB\nMemTotal: 9 kB\n", 25.0},
	{"missing", NULL, UNKNOWN},
	{"empty", "", UNKNOWN},
	{"an old kernel", "MemTotal: 4000 kB\nMemFree: 1000 kB\n", UNKNOWN},
	{"no total", "MemAvailable: 4000 kB\n", UNKNOWN},
	{"nothing at all", "MemTotal: 0 kB\nMemAvailable: 0 kB\n", UNKNOWN},
	{"more than all", "MemTotal: 1000 kB\nMemAvailable: 1001 kB\n", UNKNOWN},
	{"cut off in a number", "MemTotal: 4000 kB\nMemAvailable: 30", UNKNOWN},
	{"cut off behind it", "MemTotal: 4000 kB\nMemAvailable: 3000 kB", UNKNOWN},
	{"another unit", "MemTotal: 4 MB\nMemAvailable: 3 MB\n", UNKNOWN},
	{"no unit", "MemTotal: 4\nMemAvailable: 3\n", UNKNOWN},
	{"negative", "MemTotal: 4000 kB\nMemAvailable: -3 kB\n", UNKNOWN},
	{"no number", "MemTotal: 4000 kB\nMemAvailable: \n", UNKNOWN},
	{"beyond 64 bits", "MemTotal: 99999999999999999999 kB\nMemAvailable: 3000 kB\n", UNKNOWN},
	{"a longer name", "MemTotal: 4000 kB\nXMemAvailable: 3000 kB\nMemAvailableX: 3000 kB\n", UNKNOWN},
	{"binary", "\x7f\x45\x4c\x46\x01\xff\xfe\n\n\n", UNKNOWN},
};

static void test_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(memory_rows); i++) {
		put("/proc/meminfo", memory_rows[i].text);
		assert_gauge(memory_rows[i].what, take_one(HOST_MEMORY), memory_rows[i].wanted);
	}
}

/* A megabyte without a line's end is stepped over, wherever it stands. */
static void test_memory_long_lines(void **state)
{
	static const struct {
		const char *what;
		const char *before;
		char fill;
		const char *behind;
		double wanted;
	} rows[] = {
		{"behind a long line", "", 'x', "\nMemTotal: 4000 kB\nMemAvailable: 3000 kB\n", 25.0},
		{"before a long line", "MemTotal: 4000 kB\nMemAvailable: 3000 kB\n", 'x', "\n", 25.0},
		{"a long line", "MemAvailable: 3000 kB\nMemTotal: 4000 kB ", 'x', "\n", UNKNOWN},
		{"a long number", "MemAvailable: 3000 kB\nMemTotal: ", '9', " kB\n", UNKNOWN},
		{"long white space", "MemAvailable: 3000 kB\nMemTotal:", ' ', "4000 kB\n", UNKNOWN},
		{"no end", "MemAvailable: 3000 kB\nMemTotal: 4000 kB\n", 'x', "", 25.0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		FILE *file = fopen(path_in_root("/proc/meminfo"), "w");

		assert_non_null(file);
		assert_true(fputs(rows[i].before, file) >= 0);
		for (int n = 0; n < 1 << 20; n++)
			assert_int_equal(putc(rows[i].fill, file), rows[i].fill);
		assert_true(fputs(rows[i].behind, file) >= 0);
		assert_int_equal(fclose(file), 0);
		assert_gauge(rows[i].what, take_one(HOST_MEMORY), rows[i].wanted);
	}
}

/* ---- temperature ---- */

static const struct {
	const char *what;
	const char *zone[COUNT(zones)];
	double wanted;
} temperature_rows[] = {
	{"one", {"48312\n"}, 48.3},
	{"the hottest", {"41000\n", "52750\n", "39000\n"}, 52.8},
	{"the hottest of frosty ones", {"-12000\n", "-3000\n", "-20000\n"}, -3.0},
	{"not the tenth only", {"30000\n", NULL, "61000\n"}, 61.0},
	{"zero", {"0\n"}, 0.0},
	{"the bounds", {"-40000\n", "150000\n"}, 150.0},
	{"the lower bound", {"-40000\n"}, -40.0},
	{"absent sensors", {"-274000\n", "255000\n", "150001\n"}, UNKNOWN},
	{"an absent one among them", {"-274000\n", "33000\n", "65535000\n"}, 33.0},
	{"no zone", {NULL}, UNKNOWN},
	{"empty", {""}, UNKNOWN},
	{"cut off", {"48"}, UNKNOWN},
	{"a word", {"hot\n"}, UNKNOWN},
	{"a number and a word", {"48312 mC\n", "48312x\n", "0x20\n"}, UNKNOWN},
	{"signs", {"--48312\n", "- 8312\n", "+48312\n"}, UNKNOWN},
	{"too many digits", {"99999999999999999999999\n"}, UNKNOWN},
	{"garbage beside a good one", {"hot\n", "", "44000\n"}, 44.0},
	{"a fan is no zone", {NULL, NULL, NULL, "90000\n"}, UNKNOWN},
};

static void test_temperature(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(temperature_rows); i++) {
		for (size_t zone = 0; zone < COUNT(zones); zone++)
			put_zone(zone, temperature_rows[i].zone[zone]);
		assert_gauge(temperature_rows[i].what, take_one(HOST_TEMPERATURE), temperature_rows[i].wanted);
	}
}

static void test_nul_ends_no_number(void **state)
{
	static const char nul[] = "48\0"
							  "312\n";

	(void)state;
	put_zone(0, "48000\n");
	assert_gauge("as it should be", take_one(HOST_TEMPERATURE), 48.0);
	put_bytes("/sys/class/thermal/thermal_zone0/temp", nul, sizeof(nul) - 1);
	assert_gauge("a NUL", take_one(HOST_TEMPERATURE), UNKNOWN);
}

/* ---- a machine without anything ---- */

static void test_nothing_there(void **state)
{
	char long_root[8192];
	const char *const roots[] = {"/nonexistent", "/dev/null", long_root};

	(void)state;
	memset(long_root, 'r', sizeof(long_root));
	long_root[0] = '/';
	long_root[sizeof(long_root) - 1] = '\0';
	for (size_t i = 0; i < COUNT(roots); i++) {
		struct host *host = host_new(roots[i], "/nonexistent/disk");
		struct host_sample sample;

		assert_non_null(host);
		for (int take = 0; take < 2; take++) {
			memset(&sample, 0xff, sizeof(sample));
			host_take(host, &sample);
			for (size_t gauge = 0; gauge < HOST_GAUGE_COUNT; gauge++)
				assert_false(sample.known[gauge]);
		}
		host_free(host);
	}
}

static void test_files_that_are_folders(void **state)
{
	(void)state;
	put("/proc/meminfo", NULL);
	assert_int_equal(mkdir(path_in_root("/proc/meminfo"), 0700), 0);
	assert_gauge("a folder", take_one(HOST_MEMORY), UNKNOWN);
	assert_int_equal(rmdir(path_in_root("/proc/meminfo")), 0);
}

static void test_free_null(void **state)
{
	(void)state;
	host_free(NULL);
}

/* ---- this machine ---- */

/* Uses up processor time, so that the kernel's counters move, until a sample knows it. */
static void test_real_machine(void **state)
{
	struct host *host = host_new("", "/tmp");
	struct host_sample sample;
	time_t deadline = time(NULL) + 20;

	(void)state;
	host_take(host, &sample);
	assert_false(sample.known[HOST_CPU]);
	assert_true(sample.known[HOST_MEMORY]);
	assert_true(sample.known[HOST_DISK]);
	assert_true(sample.known[HOST_CLIENTS]);
	assert_true(sample.value[HOST_MEMORY] > 0.0 && sample.value[HOST_MEMORY] < 100.0);
	assert_true(sample.value[HOST_DISK] >= 0.0 && sample.value[HOST_DISK] <= 100.0);
	if (sample.known[HOST_TEMPERATURE])
		assert_in_range((long)sample.value[HOST_TEMPERATURE] + 40, 0, 190);

	while (!sample.known[HOST_CPU] && time(NULL) < deadline)
		host_take(host, &sample);
	assert_true(sample.known[HOST_CPU]);
	assert_true(sample.value[HOST_CPU] >= 0.0 && sample.value[HOST_CPU] <= 100.0);
	host_free(host);
}

/* df's own figure, which it rounds up to a whole per cent. */
static void test_disk_as_df(void **state)
{
	char text[64] = "";
	long percent;
	double found;
	FILE *df = popen("df --output=pcent / | tail -n 1", "r"); /* NOLINT(cert-env33-c): a fixed command */

	(void)state;
	assert_non_null(df);
	assert_non_null(fgets(text, sizeof(text), df));
	assert_int_equal(pclose(df), 0);
	percent = strtol(text, NULL, 10);
	found = take_one(HOST_DISK);
	/* Others write to the disk meanwhile. */
	assert_true(found > (double)percent - 1.3 && found < (double)percent + 0.3);
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

/* The folder of descriptors is the one thing that can be made up: without it nothing is known. */
static void test_clients_without_proc(void **state)
{
	(void)state;
	assert_gauge("no /proc/self/fd", take_one(HOST_CLIENTS), UNKNOWN);
	assert_int_equal(mkdir(path_in_root("/proc/self/fd"), 0700), 0);
	assert_gauge("an empty one", take_one(HOST_CLIENTS), 0.0);
	assert_int_equal(mkdir(path_in_root("/proc/self/fd/99999999999999999999"), 0700), 0);
	assert_int_equal(mkdir(path_in_root("/proc/self/fd/4294967296"), 0700), 0);
	assert_int_equal(mkdir(path_in_root("/proc/self/fd/2147483647"), 0700), 0);
	assert_int_equal(mkdir(path_in_root("/proc/self/fd/-1"), 0700), 0);
	assert_int_equal(mkdir(path_in_root("/proc/self/fd/x"), 0700), 0);
	assert_gauge("odd names", take_one(HOST_CLIENTS), 0.0);
	rmdir(path_in_root("/proc/self/fd/99999999999999999999"));
	rmdir(path_in_root("/proc/self/fd/4294967296"));
	rmdir(path_in_root("/proc/self/fd/2147483647"));
	rmdir(path_in_root("/proc/self/fd/-1"));
	rmdir(path_in_root("/proc/self/fd/x"));
	assert_int_equal(rmdir(path_in_root("/proc/self/fd")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu),           cmocka_unit_test(test_cpu_recovers),
		cmocka_unit_test(test_memory),        cmocka_unit_test(test_memory_long_lines),
		cmocka_unit_test(test_temperature),   cmocka_unit_test(test_nul_ends_no_number),
		cmocka_unit_test(test_nothing_there), cmocka_unit_test(test_files_that_are_folders),
		cmocka_unit_test(test_free_null),     cmocka_unit_test(test_real_machine),
		cmocka_unit_test(test_disk_as_df),    cmocka_unit_test(test_clients_v4),
		cmocka_unit_test(test_clients_v6),    cmocka_unit_test(test_clients_without_proc),
	};
	return cmocka_run_group_tests_name("host", tests, make_root, remove_root);
}
