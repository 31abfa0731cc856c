/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * What is in the EEPROM outlives damage and power cuts: the board starts with the settings as they were before or after a save,
 * goes online with them, and never uses the number of a start twice.
 *
 * In virtual time, for a start takes seconds. test/firmware/settings_test.c damages every byte in every way on the host; here the
 * real program is seen to do the same with every sixteenth, or with all if TEST_LONG is set.
 */
#include "accounts.h"
#include "boards.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "rig.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Where settings.c keeps the two copies, and the two places of the count of starts. */
#define COPY_AT(which)  (16 + 480 * (which))
#define COPY_SIZE       276
#define COUNT_AT(which) (976 + 16 * (which))
#define COUNT_SIZE      6

#define MENDED "console a damaged copy"

#define ONLINE_S 60.0 /* of the board's */

/* Settings of two kinds, at the copies' beginning and end, and the account in between: none may go without the others. */
static struct board boards[] = {{.name = "before", .is_virtual = true}, {.name = "after"}};
static const char *const settings[][3] = {
	{"ssid home", "device before", "change_humidity 10"},
	{"ssid elsewhere", "device after", "change_humidity 25"},
};

static struct house *house;
static struct client *admin;
static int64_t last_boot;

static struct rig *rig(void)
{
	return boards[0].rig;
}

static int step(int usual)
{
	return getenv("TEST_LONG") != NULL ? 1 : usual;
}

/* ---- the board ---- */

static int begin(void **state)
{
	(void)state;
	house = accounts_house();
	admin = boards_admin(house);
	board_account(admin, boards[1].name);
	boards_begin(boards, 1, house, admin);
	for (size_t i = 0; i < 3; i++)
		rig_type(rig(), "set %s", settings[0][i]);
	rig_type(rig(), "save");
	boards[1].rig = boards[0].rig;
	boards[1].admin = admin;
	boards[1].is_virtual = true;
	return 0;
}

static int end(void **state)
{
	rig_teardown(state);
	return client_teardown(state);
}

/* The value of "NAME = VALUE", as `show` tells it. */
static bool shows(const char *setting)
{
	const char *value = strchr(setting, ' ') + 1;
	char begin[64], wanted[80];
	const struct rig_line *line;

	snprintf(begin, sizeof(begin), "console %.*s = ", (int)(value - setting - 1), setting);
	snprintf(wanted, sizeof(wanted), "%s%s", begin, value);
	line = rig_last(rig(), begin);
	assert_non_null(line);
	return strcmp(line->text, wanted) == 0;
}

/* Which of the two settings it has: all of one, none of the other. */
static size_t which_settings(void)
{
	size_t which;

	rig_type(rig(), "show");
	which = shows(settings[0][0]) ? 0 : 1;
	for (size_t i = 0; i < 3; i++)
		if (!shows(settings[which][i]))
			fail_msg("it has neither the settings before the save nor those after it, but \"%s\" not",
			         settings[which][i]);
	return which;
}

/* Its number must be a new one. */
static void expect_new_boot(void)
{
	const struct rig_line *line = rig_last(rig(), "console hearth device");
	int64_t boot;

	assert_non_null(line);
	boot = strtoll(strstr(line->text, ", boot ") + strlen(", boot "), NULL, 10);
	if (boot <= last_boot)
		fail_msg("start %lld comes after start %lld", (long long)boot, (long long)last_boot);
	last_boot = boot;
}

/* Switches the power on. Returns which settings it has; it is online with them. */
static size_t starts(void)
{
	size_t which;

	client_drain(admin, NULL);
	rig_do(rig(), "power on");
	board_run(&boards[0], 0.5);
	which = which_settings();
	expect_new_boot();
	if (!board_is_online(&boards[which], ONLINE_S))
		fail_msg("start %lld does not come online as %s", (long long)last_boot, boards[which].name);
	return which;
}

/* ---- tests ---- */

static void damage(int address, int bits)
{
	rig_do(rig(), "power off");
	rig_do(rig(), "eeprom xor %d %02x", address, (unsigned)bits);
}

/* It is mended too: with the one copy damaged after the other, all would be lost if it were not. */
static void damaged_copies(void **state)
{
	int bits = 1;

	(void)state;
	for (int at = 0; at < COPY_SIZE; at += step(16)) {
		for (int which = 0; which < 2; which++) {
			size_t mended = rig_count(rig(), MENDED);

			damage(COPY_AT(which) + at, bits);
			assert_int_equal(starts(), 0);
			assert_int_equal(rig_count(rig(), MENDED), mended + 1);
		}
		bits = bits == 0x80 ? 1 : bits << 1;
	}
}

static void damaged_count(void **state)
{
	(void)state;
	for (int at = 0; at < COUNT_SIZE; at++) {
		for (int which = 0; which < 2; which++) {
			damage(COUNT_AT(which) + at, 0xFF);
			assert_int_equal(starts(), 0);
		}
	}
}

/* The count is written in every start. */
static void power_cut_in_start(void **state)
{
	(void)state;
	for (int writes = 1; writes <= 2 * COUNT_SIZE; writes++) {
		rig_do(rig(), "power off");
		rig_do(rig(), "power cut %d", writes);
		rig_do(rig(), "power on");
		board_run(&boards[0], 1);
		rig_do(rig(), "power cut 0");
		rig_do(rig(), "power off");
		assert_int_equal(starts(), 0);
	}
}

/* Saves the other settings, with the power cut in the middle of a byte. False: it was saved before that. */
static bool save_cut(size_t which, int writes)
{
	size_t cuts = rig_count(rig(), "power off");
	bool is_cut;

	for (size_t i = 0; i < 3; i++)
		rig_type(rig(), "set %s", settings[which][i]);
	rig_do(rig(), "power cut %d", writes);
	rig_do(rig(), "type save");
	board_run(&boards[0], 3);
	is_cut = rig_count(rig(), "power off") > cuts;
	rig_do(rig(), "power cut 0");
	rig_do(rig(), "power off");
	return is_cut;
}

static void power_cut_in_save(void **state)
{
	size_t now = 0, counts[2] = {0}; /* with the settings before, and after */
	int writes = 1;

	(void)state;
	while (save_cut(!now, writes)) {
		size_t then = starts();

		counts[then != now]++;
		now = then;
		writes += step(5);
	}
	/* That the first copy is whole comes in the middle. */
	assert_in_range(counts[0], 3, 40);
	assert_in_range(counts[1], 3, 40);
	assert_int_equal(starts(), !now);
}

static void end_well(void **state)
{
	(void)state;
	client_free(admin);
	board_end(&boards[0]);
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_copies),    cmocka_unit_test(damaged_count), cmocka_unit_test(power_cut_in_start),
		cmocka_unit_test(power_cut_in_save), cmocka_unit_test(end_well),
	};

	return cmocka_run_group_tests_name("eeprom", tests, begin, end);
}
