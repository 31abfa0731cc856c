/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host: made-up /proc and /sys files in a folder of their own, good and bad, and then the machine the test runs on.
 */
#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
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

static const char *const folders[] = {"/proc", "/proc/net",  "/proc/self",        "/proc/self/fd",
                                      "/sys",  "/sys/class", "/sys/class/thermal"};
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
	put("/proc/net/tcp", NULL);
	put("/proc/net/tcp6", NULL);
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
		assert_int_equal(symlink(target, path_in_root(path)), 0);
	else
		assert_true(unlink(path_in_root(path)) == 0 || errno == ENOENT);
}

static void test_clients_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(clients_rows); i++) {
		double found;

		for (size_t number = 0; number < LINKS_MAX && clients_rows[i].link[number]; number++)
			put_link(number, clients_rows[i].link[number]);
		put("/proc/net/tcp", clients_rows[i].tcp);
		put("/proc/net/tcp6", clients_rows[i].tcp6);
		found = take_one(HOST_CLIENTS);
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
	put("/proc/net/tcp6", NULL);
	put_link(0, "socket:[10]");
	put_link(1, "socket:[11]");
	put_link(2, "socket:[12]");
	for (size_t cut = 0; cut <= len; cut++) {
		double wanted = cut < sizeof(HEADING_4) - 1 ? UNKNOWN : 0.0;

		if (cut >= len - row_len)
			wanted = cut == len ? 2.0 : 1.0;
		put_bytes("/proc/net/tcp", table, cut);
		assert_gauge("cut off", take_one(HOST_CLIENTS), wanted);
	}
	for (size_t i = 0; i < len * sizeof(wrong); i++) {
		memcpy(damaged, table, sizeof(table));
		damaged[i / sizeof(wrong)] = wrong[i % sizeof(wrong)];
		put_bytes("/proc/net/tcp", damaged, len);
		assert_true(take_one(HOST_CLIENTS) <= 2.0);
	}
	for (size_t number = 0; number < 3; number++)
		put_link(number, NULL);
}

static void test_clients_long_line(void **state)
{
	FILE *file = fopen(path_in_root("/proc/net/tcp"), "w");

	(void)state;
	assert_non_null(file);
	assert_true(fputs(HEADING_4 LISTENING, file) >= 0);
	for (int n = 0; n < 1 << 20; n++)
		assert_int_equal(putc(n % 3 ? '1' : ' ', file), n % 3 ? '1' : ' ');
	assert_true(fputs("\n" ROW_4(MQTT, "01", "11"), file) >= 0);
	assert_int_equal(fclose(file), 0);
	put_link(0, "socket:[10]");
	put_link(1, "socket:[11]");
	assert_gauge("behind a long line", take_one(HOST_CLIENTS), 1.0);
	put_link(0, NULL);
	put_link(1, NULL);
}

/* Neither folders in the files' place nor files in the folders' are an answer. */
static void test_clients_without_proc(void **state)
{
	(void)state;
	put("/proc/net/tcp", HEADING_4 LISTENING);
	put("/proc/net/tcp6", NULL);
	assert_gauge("as it should be", take_one(HOST_CLIENTS), 0.0);
	assert_int_equal(rmdir(path_in_root("/proc/self/fd")), 0);
	assert_gauge("no descriptors", take_one(HOST_CLIENTS), UNKNOWN);
	put("/proc/self/fd", "socket:[10]");
	assert_gauge("a file for the descriptors", take_one(HOST_CLIENTS), UNKNOWN);
	put("/proc/self/fd", NULL);
	assert_int_equal(mkdir(path_in_root("/proc/self/fd"), 0700), 0);
	assert_int_equal(mkdir(path_in_root("/proc/self/fd/3"), 0700), 0);
	assert_gauge("a folder for a descriptor", take_one(HOST_CLIENTS), 0.0);
	assert_int_equal(rmdir(path_in_root("/proc/self/fd/3")), 0);
	put("/proc/net/tcp", NULL);
	assert_int_equal(mkdir(path_in_root("/proc/net/tcp"), 0700), 0);
	assert_gauge("a folder for the table", take_one(HOST_CLIENTS), UNKNOWN);
	assert_int_equal(rmdir(path_in_root("/proc/net/tcp")), 0);
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
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_cpu_recovers),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_long_lines),
		cmocka_unit_test(test_temperature),
		cmocka_unit_test(test_nul_ends_no_number),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_files_that_are_folders),
		cmocka_unit_test(test_free_null),
		cmocka_unit_test(test_real_machine),
		cmocka_unit_test(test_disk_as_df),
		cmocka_unit_test(test_clients_v4),
		cmocka_unit_test(test_clients_v6),
		cmocka_unit_test(test_clients_without_proc),
		cmocka_unit_test(test_clients_tables),
		cmocka_unit_test(test_clients_damaged_table),
		cmocka_unit_test(test_clients_long_line),
		cmocka_unit_test(test_clients_from_unshared_thread),
	};
	return cmocka_run_group_tests_name("host", tests, make_root, remove_root);
}
