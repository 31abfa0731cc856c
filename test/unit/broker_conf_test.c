/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker_conf: configurations and command lines in a folder of their own; "@" in them stands for that folder.
 */
#include "broker_conf.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char root[64];

/* Copies text and puts the folder's path for each '@'. Returns the length. */
static size_t with_root(const char *text, size_t len, char *out, size_t size)
{
	size_t out_len = 0;

	for (size_t i = 0; i < len; i++) {
		const char *piece = text[i] == '@' ? root : &text[i];
		size_t piece_len = text[i] == '@' ? strlen(root) : 1;

		assert_true(out_len + piece_len < size);
		memcpy(out + out_len, piece, piece_len);
		out_len += piece_len;
	}
	out[out_len] = '\0';
	return out_len;
}

static void put(const char *name, const char *text, size_t len)
{
	char path[256];
	char content[4096];
	size_t content_len = with_root(text, len, content, sizeof(content));
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, content_len, file), content_len);
	assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int make_root(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof(root), "%s/hearth-conf-XXXXXX", tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
	(void)status;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static bool answer(const char *command_line, size_t len)
{
	char line[8192];
	size_t line_len = with_root(command_line, len, line, sizeof(line));
	char *exact = malloc(line_len > 0 ? line_len : 1); /* nothing behind it may be read */
	bool result;

	assert_non_null(exact);
	memcpy(exact, line, line_len);
	result = broker_conf_per_listener(exact, line_len);
	free(exact);
	return result;
}

#define ANSWER(text) answer(text, sizeof(text) - 1)

/* ---- one file ---- */

static const struct {
	const char *text;
	bool wanted;
} file_rows[] = {
	{"per_listener_settings true\n", true},
	{"per_listener_settings true", true},
	{"per_listener_settings 1\n", true},
	{"  per_listener_settings   true  \n", true},
	{"per_listener_settings true\r\n", true},
	{"listener 1883\nper_listener_settings true\nlistener 1884\n", true},
	{"per_listener_settings false\nper_listener_settings true\n", true},
	{"\n\n\nper_listener_settings true\n", true},
	{"", false},
	{"\n", false},
	{"per_listener_settings false\n", false},
	{"per_listener_settings 0\n", false},
	{"per_listener_settings true\nper_listener_settings false\n", false},
	{"per_listener_settings\n", false},
	{"per_listener_settings yes\n", false},
	{"per_listener_settings truely\n", false},
	{"per_listener_setting true\n", false},
	{"per_listener_settings_x true\n", false},
	{"per_listener_settingstrue\n", false},
	{"#per_listener_settings true\n", false},
	{"# per_listener_settings true\n", false},
	{"log_dest per_listener_settings true\n", false},
	{"include_dir\nper_listener_settings true\n", true},
	{"include_dir @/none\nper_listener_settings true\n", true},
	{"include_dir @/main.conf\n", false},
};

static void test_one_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(file_rows); i++) {
		put("main.conf", file_rows[i].text, strlen(file_rows[i].text));
		if (ANSWER("mosquitto\0-c\0@/main.conf\0") != file_rows[i].wanted)
			fail_msg("%s", file_rows[i].text);
	}
}

/* ---- command lines ---- */

static void test_command_lines(void **state)
{
	static const char on[] = "per_listener_settings true\n";
	static const char off[] = "per_listener_settings false\n";

	(void)state;
	put("on.conf", on, sizeof(on) - 1);
	put("off.conf", off, sizeof(off) - 1);
	put("with space.conf", on, sizeof(on) - 1);

	assert_true(ANSWER("mosquitto\0-c\0@/on.conf\0"));
	assert_true(ANSWER("mosquitto\0-c\0@/on.conf"));
	assert_true(ANSWER("mosquitto\0--config-file\0@/on.conf\0"));
	assert_true(ANSWER("/usr/sbin/mosquitto\0-v\0-p\0001883\0-c\0@/on.conf\0-d\0"));
	assert_true(ANSWER("mosquitto\0-c\0@/with space.conf\0"));
	assert_true(ANSWER("mosquitto\0-c\0@/off.conf\0-c\0@/on.conf\0"));
	assert_false(ANSWER("mosquitto\0-c\0@/on.conf\0-c\0@/off.conf\0"));
	assert_false(ANSWER("mosquitto\0-c\0@/off.conf\0"));
	assert_false(ANSWER("mosquitto\0@/on.conf\0"));
	assert_false(ANSWER("mosquitto\0-c\0"));
	assert_false(ANSWER("mosquitto\0-c"));
	assert_false(ANSWER("mosquitto\0-c\0\0"));
	assert_false(ANSWER("-c\0@/on.conf\0"));
	assert_false(ANSWER("mosquitto\0-cx\0@/on.conf\0"));
	assert_false(ANSWER("mosquitto\0-C\0@/on.conf\0"));
	assert_false(ANSWER("mosquitto\0-c\0@/none.conf\0"));
	assert_false(ANSWER("mosquitto\0-c\0@\0"));
	assert_false(ANSWER("mosquitto\0"));
	assert_false(ANSWER("\0\0\0\0"));
	assert_false(ANSWER(""));
}

static void test_relative_path(void **state)
{
	char before[4096];

	(void)state;
	put("here.conf", "per_listener_settings true\n", 27);
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(root), 0);
	assert_true(ANSWER("mosquitto\0-c\0here.conf\0"));
	assert_int_equal(chdir(before), 0);
}

static void test_long_path(void **state)
{
	static char line[4096 + 16] = "mosquitto\0-c\0";

	(void)state;
	memset(line + 13, '/', sizeof(line) - 13);
	assert_false(answer(line, sizeof(line)));
}

/* ---- include_dir ---- */

static const struct {
	const char *what;
	const char *main_text;
	const char *name;
	const char *text;
	bool wanted;
} include_rows[] = {
	{"included", "include_dir @/d\n", "a.conf", "per_listener_settings true\n", true},
	{"with spaces around it", "include_dir   @/d  \n", "a.conf", "per_listener_settings true\n", true},
	{"included ones come where they stand", "include_dir @/d\nper_listener_settings false\n", "a.conf",
     "per_listener_settings true\n", false},
	{"and overrule what stands before", "per_listener_settings true\ninclude_dir @/d\n", "a.conf",
     "per_listener_settings false\n", false},
	{"other files are none", "include_dir @/d\n", "a.conf~", "per_listener_settings true\n", false},
	{"the ending alone is no name", "include_dir @/d\n", ".conf", "per_listener_settings true\n", false},
	{"a comment", "#include_dir @/d\n", "a.conf", "per_listener_settings true\n", false},
	{"included files include nothing", "include_dir @/d\n", "a.conf", "include_dir @/e\n", false},
	{"nor themselves", "include_dir @/d\n", "a.conf", "include_dir @/d\nper_listener_settings true\n", true},
};

static void test_include_dir(void **state)
{
	(void)state;
	make_folder("d");
	make_folder("e");
	put("e/e.conf", "per_listener_settings true\n", 27);
	for (size_t i = 0; i < COUNT(include_rows); i++) {
		char name[64];
		char path[256];

		snprintf(name, sizeof(name), "d/%s", include_rows[i].name);
		snprintf(path, sizeof(path), "%s/%s", root, name);
		put("main.conf", include_rows[i].main_text, strlen(include_rows[i].main_text));
		put(name, include_rows[i].text, strlen(include_rows[i].text));
		if (ANSWER("mosquitto\0-c\0@/main.conf\0") != include_rows[i].wanted)
			fail_msg("%s", include_rows[i].what);
		assert_int_equal(unlink(path), 0);
	}
}

/* Of two files that differ, the last one in the broker's order counts. */
static void test_include_order(void **state)
{
	static const char *const pairs[][2] = {
		{"00", "01"}, {"01", "A"}, {"A", "a"}, {"a", "B"}, {"B", "b"},  {"C", "c"},   {"D", "d"},
		{"E", "e"},   {"F", "f"},  {"G", "g"}, {"H", "h"}, {"a", "a0"}, {"a0", "AB"}, {"b", "c"},
	};

	(void)state;
	make_folder("o");
	put("main.conf", "include_dir @/o\n", 16);
	for (size_t pair = 0; pair < COUNT(pairs); pair++) {
		char path[2][256];

		for (int later_is_on = 0; later_is_on < 2; later_is_on++) {
			for (int i = 0; i < 2; i++) {
				char name[64];

				snprintf(name, sizeof(name), "o/%s.conf", pairs[pair][i]);
				snprintf(path[i], sizeof(path[i]), "%s/%s", root, name);
				put(name, i == later_is_on ? "per_listener_settings 1\n" : "per_listener_settings 0\n", 24);
			}
			if (ANSWER("mosquitto\0-c\0@/main.conf\0") != (bool)later_is_on)
				fail_msg("%s.conf does not come before %s.conf", pairs[pair][0], pairs[pair][1]);
		}
		assert_int_equal(unlink(path[0]), 0);
		assert_int_equal(unlink(path[1]), 0);
	}
}

/* ---- odd files ---- */

static void test_odd_files(void **state)
{
	static const char on[] = "per_listener_settings true\n";
	static const char nul[] = "a\0b\nper_listener_settings true\n";
	char path[256];
	int ends[2];
	int len;

	(void)state;
	put("main.conf", nul, sizeof(nul) - 1);
	assert_true(ANSWER("mosquitto\0-c\0@/main.conf\0"));

	/* A pipe that nobody writes to must not be waited for. */
	snprintf(path, sizeof(path), "%s/pipe", root);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(ANSWER("mosquitto\0-c\0@/pipe\0"));
	assert_false(ANSWER("mosquitto\0-c\0/dev/zero\0"));

	/* Nor may anything be taken out of one that somebody did write to. */
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], on, sizeof(on) - 1), sizeof(on) - 1);
	len = snprintf(path, sizeof(path), "mosquitto%c-c%c/dev/fd/%d", 0, 0, ends[0]);
	assert_true(len > 0 && (size_t)len < sizeof(path));
	assert_false(answer(path, (size_t)len + 1));
	assert_int_equal(read(ends[0], path, sizeof(path)), sizeof(on) - 1);
	close(ends[0]);
	close(ends[1]);

	/* Long lines are lines, and what comes after the first MiB is not looked at. */
	snprintf(path, sizeof(path), "%s/long.conf", root);
	for (int behind = 0; behind < 2; behind++) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		for (int n = 0; n < (1 << 20) - 40 + 50 * behind; n++)
			assert_int_equal(putc('x', file), 'x');
		assert_true(fprintf(file, "\n%s", on) > 0);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(ANSWER("mosquitto\0-c\0@/long.conf\0"), !behind);
	}
}

/* Nothing but answers: whatever the bytes, and whatever the folder holds. */
static void test_random_bytes(void **state)
{
	static const char *const pieces[] = {
		"per_listener_settings", "include_dir", " ", "\n", "true", "false", "@/d", "\t", "\r", "#", "\xff", "1"};
	uint32_t random = 4711;

	(void)state;
	for (int round = 0; round < 300; round++) {
		char text[512] = "";

		for (int i = 0; i < 12; i++) {
			random = random * 1664525u + 1013904223u;
			strncat(text, pieces[(random >> 16) % COUNT(pieces)], sizeof(text) - strlen(text) - 1);
		}
		put("main.conf", text, strlen(text));
		(void)ANSWER("mosquitto\0-c\0@/main.conf\0");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_file),  cmocka_unit_test(test_command_lines), cmocka_unit_test(test_relative_path),
		cmocka_unit_test(test_long_path), cmocka_unit_test(test_include_dir),   cmocka_unit_test(test_include_order),
		cmocka_unit_test(test_odd_files), cmocka_unit_test(test_random_bytes),
	};
	return cmocka_run_group_tests_name("broker_conf", tests, make_root, remove_root);
}
