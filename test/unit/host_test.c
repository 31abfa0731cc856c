/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host: its gauges, the clients left out, from made-up /proc and /sys files, good and bad, and then from the machine that
 * the test runs on.
 */
#include "host_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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
		struct host *host = host_new(machine_root(), "/");
		struct host_sample sample;

		machine_put("/proc/stat", cpu_rows[i].first);
		host_take(host, &sample);
		assert_false(sample.known[HOST_CPU]);
		machine_put("/proc/stat", cpu_rows[i].second);
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
	struct host *host = host_new(machine_root(), "/");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct host_sample sample;

		machine_put("/proc/stat", rows[i].text);
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
		machine_put("/proc/meminfo", memory_rows[i].text);
		assert_gauge(memory_rows[i].what, machine_gauge(HOST_MEMORY), memory_rows[i].wanted);
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
		FILE *file = fopen(machine_path("/proc/meminfo"), "w");

		assert_non_null(file);
		assert_true(fputs(rows[i].before, file) >= 0);
		for (int n = 0; n < 1 << 20; n++)
			assert_int_equal(putc(rows[i].fill, file), rows[i].fill);
		assert_true(fputs(rows[i].behind, file) >= 0);
		assert_int_equal(fclose(file), 0);
		assert_gauge(rows[i].what, machine_gauge(HOST_MEMORY), rows[i].wanted);
	}
}

/* ---- temperature ---- */

static const char *const zones[] = {"/sys/class/thermal/thermal_zone0", "/sys/class/thermal/thermal_zone1",
                                    "/sys/class/thermal/thermal_zone10", "/sys/class/thermal/cooling_device0"};

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

static void put_zone(size_t zone, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/temp", zones[zone]);
	if (text)
		mkdir(machine_path(zones[zone]), 0700);
	machine_put(path, text);
	if (!text)
		rmdir(machine_path(zones[zone]));
}

static void test_temperature(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(temperature_rows); i++) {
		for (size_t zone = 0; zone < COUNT(zones); zone++)
			put_zone(zone, temperature_rows[i].zone[zone]);
		assert_gauge(temperature_rows[i].what, machine_gauge(HOST_TEMPERATURE), temperature_rows[i].wanted);
	}
}

static void test_nul_ends_no_number(void **state)
{
	static const char nul[] = "48\0"
							  "312\n";

	(void)state;
	put_zone(0, "48000\n");
	assert_gauge("as it should be", machine_gauge(HOST_TEMPERATURE), 48.0);
	machine_put_bytes("/sys/class/thermal/thermal_zone0/temp", nul, sizeof(nul) - 1);
	assert_gauge("a NUL", machine_gauge(HOST_TEMPERATURE), UNKNOWN);
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
	machine_put("/proc/meminfo", NULL);
	assert_int_equal(mkdir(machine_path("/proc/meminfo"), 0700), 0);
	assert_gauge("a folder", machine_gauge(HOST_MEMORY), UNKNOWN);
	assert_int_equal(rmdir(machine_path("/proc/meminfo")), 0);
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
	found = machine_gauge(HOST_DISK);
	/* Others write to the disk meanwhile. */
	assert_true(found > (double)percent - 1.3 && found < (double)percent + 0.3);
}
static int tear_down(void **state)
{
	for (size_t i = 0; i < COUNT(zones); i++)
		put_zone(i, NULL);
	return machine_remove(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu),           cmocka_unit_test(test_cpu_recovers),
		cmocka_unit_test(test_memory),        cmocka_unit_test(test_memory_long_lines),
		cmocka_unit_test(test_temperature),   cmocka_unit_test(test_nul_ends_no_number),
		cmocka_unit_test(test_nothing_there), cmocka_unit_test(test_files_that_are_folders),
		cmocka_unit_test(test_free_null),     cmocka_unit_test(test_real_machine),
		cmocka_unit_test(test_disk_as_df),
	};
	return cmocka_run_group_tests_name("host", tests, machine_make, tear_down);
}
