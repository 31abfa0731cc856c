/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A device that was offline delivers its kept readings: each is in the history exactly once, with its value and its time, also when
 * the broker had them already and the device was not told so. What no longer fits is the oldest, and is counted. A fire does not
 * wait for any of this.
 *
 * So that each reading tells when it was taken, light, temperature and humidity rise in steps: the value is the time.
 */
#include "accounts.h"
#include "boards.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "quotes.h"
#include "rig.h"
#include "rows.h"

#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEPT      60 /* at least */
#define SEQ_MAX   1024
#define ONLINE_S  30
#define OUTAGE_S  40 /* more than three readings a second need for KEPT */
#define TIME_S    0.5
#define CUTS      3
#define ROOM      64 /* for readings, on a board */
#define SENSORS   4
#define NEVER_SEQ (-1)

/* ---- a rise ---- */

#define STEP_MS   100
#define STEPS_MAX (OUTAGE_S * 1000 / STEP_MS)

static const struct rising {
	const char *sensor, *format; /* the rig's command */
	double from, step;           /* above what it is before */
	double period_s;             /* between two kept readings, with the period at 1 s */
} rising[] = {
	{"illuminance", "light %.0f", 600, 1, 1},
	{"temperature", "temperature %.1f", 30, 0.1, 2},
	{"humidity", "humidity %.1f", 50, 0.1, 2},
};

#define RISING (sizeof(rising) / sizeof(rising[0]))

struct rise {
	int64_t away_us;          /* wall clock: since when the board is away */
	int64_t at_us[STEPS_MAX]; /* of each step */
	size_t steps;
	double late_s; /* the longest that the broker did not look at what it had got, which makes readings younger */
};

static void rise(struct board *board, struct rise *rise)
{
	assert_in_range(rise->steps, 0, STEPS_MAX - 1);
	for (size_t i = 0; i < RISING; i++) {
		char command[32];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(command, sizeof(command), rising[i].format, rising[i].from + rising[i].step * (double)rise->steps);
#pragma GCC diagnostic pop
		rig_do(board->rig, "%s", command);
	}
	rise->at_us[rise->steps++] = wall_us();
}

/* ---- what was told, and what is stored ---- */

/* How often each reading of a board was told. */
struct account_of_told {
	size_t times[SEQ_MAX];
	size_t readings, again; /* different ones; told once more */
	int64_t last;           /* number */
};

static void take_account(struct board *board, struct account_of_told *account)
{
	const struct message *message;
	size_t head = strlen(BOARDS_LOCATION "/") + strlen(board->name);

	*account = (struct account_of_told){.last = NEVER_SEQ};
	client_fence(board->admin);
	while ((message = client_take_any(board->admin, 1)) != NULL) {
		const char *subject = strrchr(message->topic, '/');
		struct told told[TOLD_MAX];
		size_t count;

		if (strncmp(message->topic + strlen(BOARDS_LOCATION "/"), board->name, strlen(board->name)) != 0 ||
		    message->topic[head] != '/' || strcmp(subject, "/value") != 0)
			continue;
		count = board_told(message, told);
		for (size_t i = 0; i < count; i++) {
			assert_in_range(told[i].seq, 0, SEQ_MAX - 1);
			account->readings += account->times[told[i].seq] == 0;
			account->again += account->times[told[i].seq] > 0;
			account->times[told[i].seq]++;
			if (told[i].seq > account->last)
				account->last = told[i].seq;
		}
	}
}

/* How many readings it has kept or lost, as its console says. */
static int status_of(struct board *board, const char *what)
{
	char told[40];

	snprintf(told, sizeof(told), "console readings %s: ", what);
	rig_type(board->rig, "status");
	return (int)strtol(rig_last(board->rig, told)->text + strlen(told), NULL, 10);
}

static void wait_delivered(struct board *board)
{
	int64_t deadline = deadline_in(ONLINE_S * 1000);

	while (status_of(board, "kept") > 0) {
		if (now_ms() > deadline)
			fail_msg("%s does not deliver", board->name);
		board_run(board, 0.5);
		client_fence(board->admin);
	}
}

/* It must be online and have delivered what it had, so that nothing is on its way. */
static void go_away(struct board *board)
{
	if (!board_is_online(board, ONLINE_S))
		fail_msg("%s does not come online", board->name);
	wait_delivered(board);
	rig_do(board->rig, "wifi off");
}

/* Somebody at the console need not wait for the next attempt; and what is kept from now on is little. */
static void come_back(struct board *board)
{
	rig_do(board->rig, "wifi on");
	rig_type(board->rig, "set period_s 60");
	rig_type(board->rig, "save");
}

/* All is delivered and the power is off, so that no more comes. Returns how many readings it says it has lost. */
static size_t deliver(struct board *board)
{
	size_t lost;

	wait_delivered(board);
	lost = (size_t)status_of(board, "lost");
	rig_do(board->rig, "power off");
	return lost;
}

/*
 * Those that are missing are of the oldest that were kept, as many as it says; but it counts those too that gave way while they were
 * on their way, or before they had a number: at most the fresh one of each sensor, whenever it came online.
 */
static void expect_missing(const struct account_of_told *account, size_t lost, size_t times_online)
{
	size_t missing = (size_t)(account->last + 1) - account->readings;
	int64_t first = NEVER_SEQ, last = NEVER_SEQ;

	assert_in_range(lost, missing, missing + SENSORS * times_online);
	if (missing == 0)
		return;
	for (int64_t seq = 0; seq <= account->last; seq++) {
		if (account->times[seq] > 0)
			continue;
		first = first == NEVER_SEQ ? seq : first;
		last = seq;
	}
	assert_in_range(account->last - last, KEPT, ROOM + SENSORS * times_online + SENSORS);
	if (times_online == 1)
		assert_int_equal(last - first + 1, missing);
}

static void expect_stored(struct board *board, size_t readings)
{
	char sql[128], wanted[16];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM readings WHERE device = '%s' AND subject = 'value'", board->name);
	snprintf(wanted, sizeof(wanted), "%zu\n", readings);
	rows_expect(board->house, sql, wanted);
}

/* Seconds since 1970 of a stored time, and the value: in order of time. */
static char *stored(struct board *board, const char *sensor)
{
	char sql[256];
	char *rows;

	snprintf(
		sql, sizeof(sql),
		"SELECT printf('%%.6f', (julianday(substr(time, 1, 19)) - 2440587.5) * 86400 + substr(time, 20, 7)), value "
		"FROM readings WHERE device = '%s' AND sensor = '%s' AND subject = 'value' ORDER BY time",
		board->name, sensor);
	rows = rows_now(board->house, sql);
	assert_non_null(rows);
	return rows;
}

/* Those of a sensor that were taken during the rise: none is missing, none is there twice, and each has its time. Returns how many. */
static size_t expect_rise(struct board *board, const struct rise *rise, const struct rising *what)
{
	char *rows = stored(board, what->sensor), *rest = NULL;
	double before_s = (double)rise->at_us[0] / 1e6, last_s = (double)rise->at_us[rise->steps - 1] / 1e6;
	size_t count = 0;

	for (char *row = strtok_r(rows, "\n", &rest); row != NULL; row = strtok_r(NULL, "\n", &rest)) {
		char *behind = NULL;
		double time_s = strtod(row, &behind);
		size_t step = (size_t)lround((strtod(behind + 1, NULL) - what->from) / what->step);
		double wanted_s;

		if (step == 0 || step >= rise->steps - 1)
			continue;
		wanted_s = (double)rise->at_us[step] / 1e6;
		if (time_s < wanted_s - TIME_S || time_s > wanted_s + TIME_S + rise->late_s)
			fail_msg("%s %s: %s is %.3f s off", board->name, what->sensor, row, time_s - wanted_s);
		if (count > 0 && fabs(time_s - before_s - what->period_s) > TIME_S + rise->late_s)
			fail_msg("%s %s: %s comes %.3f s after the one before", board->name, what->sensor, row, time_s - before_s);
		before_s = time_s;
		count++;
	}
	free(rows);
	if (last_s - before_s > what->period_s + TIME_S)
		fail_msg("%s %s: nothing for %.3f s", board->name, what->sensor, last_s - before_s);
	return count;
}

/* All that was told, each once; and of what was taken during the rise as much as was to be kept. */
static void expect_all(struct board *board, const struct rise *rise, const struct account_of_told *account, size_t lost)
{
	char sql[256], begin[40], end[40];
	size_t taken;
	char *rows;

	expect_stored(board, account->readings);
	for (size_t i = 0; i < RISING; i++)
		if (expect_rise(board, rise, &rising[i]) < 5)
			fail_msg("%s: hardly any %s", board->name, rising[i].sensor);
	snprintf(sql, sizeof(sql),
	         "SELECT count(*) FROM readings WHERE device = '%s' AND subject = 'value' AND time BETWEEN '%s' AND '%s'",
	         board->name, iso_time(rise->away_us, begin), iso_time(rise->at_us[rise->steps - 1] + 1000000, end));
	rows = rows_now(board->house, sql);
	assert_non_null(rows);
	taken = strtoul(rows, NULL, 10);
	free(rows);
	assert_in_range(taken + lost, KEPT, SEQ_MAX);
	print_message("# %s: %zu readings taken while away, %zu lost, %zu told again\n", board->name, taken, lost,
	              account->again);
}

/* ---- tests ---- */

/*
 * The broker gets what the device sends next, and stores it, but the device loses its connection before it hears of that: the broker
 * stands still until something was sent, and what it says then goes into the black hole.
 */
static void cut_before_acknowledgement(struct board *board, struct rise *rise)
{
	int64_t begin_ms;
	double stood_s;
	int64_t deadline = deadline_in(SOON);
	char before[240] = "";
	const char *now;

	if (!board_is_online(board, ONLINE_S))
		fail_msg("%s does not come back", board->name);
	house_signal(board->house, SIGSTOP);
	begin_ms = now_ms();
	/* The same count of bytes for so long: all that it sends without an answer is sent. */
	for (int same = 0; same < 3;) {
		rig_do(board->rig, "status");
		now = strstr(rig_last(board->rig, "status connection 0")->text, " sent ");
		same = strncmp(before, now, strcspn(now + 1, "g")) == 0 ? same + 1 : 0;
		snprintf(before, sizeof(before), "%s", now);
		if (now_ms() > deadline)
			fail_msg("%s does not stop sending", board->name);
		for (int64_t until = now_ms() + 100; now_ms() < until;)
			look_again();
	}
	rig_do(board->rig, "tcp stall on");
	house_signal(board->house, SIGCONT);
	client_fence(board->admin);
	stood_s = (double)(now_ms() - begin_ms) / 1000;
	rise->late_s = stood_s > rise->late_s ? stood_s : rise->late_s;
	rig_do(board->rig, "tcp drop");
	rig_do(board->rig, "tcp stall off");
}

static void access_point_away(void **state)
{
	static struct rise rises[2];
	static struct account_of_told account;
	struct board boards[2] = {{.name = "kept", .more = "period_s 1"}, {.name = "resent", .more = "period_s 1"}};
	int64_t begin_ms;
	bool is_back[2] = {false, false};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct house *house = accounts_house();

		boards_begin(&boards[i], 1, house, boards_admin(house));
	}
	for (size_t i = 0; i < 2; i++) {
		go_away(&boards[i]);
		rises[i].away_us = wall_us();
	}
	begin_ms = now_ms();
	for (int64_t step = 1; !is_back[0] || !is_back[1]; step++) {
		for (size_t i = 0; i < 2; i++) {
			if (is_back[i])
				continue;
			rise(&boards[i], &rises[i]);
			is_back[i] = step * STEP_MS > KEPT * 1000 / 4 && status_of(&boards[i], "kept") >= KEPT;
			if (is_back[i])
				come_back(&boards[i]);
		}
		while (now_ms() < begin_ms + step * STEP_MS)
			look_again();
	}
	for (size_t i = 0; i < CUTS; i++)
		cut_before_acknowledgement(&boards[1], &rises[1]);
	for (size_t i = 0; i < 2; i++) {
		size_t lost = deliver(&boards[i]);

		take_account(&boards[i], &account);
		expect_missing(&account, lost, i == 1 ? 1 + CUTS : 1);
		expect_all(&boards[i], &rises[i], &account, lost);
		if (i == 1)
			assert_in_range(account.again, CUTS, SEQ_MAX);
		else
			assert_int_equal(account.again, 0);
		board_end(&boards[i]);
		client_free(boards[i].admin);
		house_free(boards[i].house);
	}
}

/* In virtual time. */
static void more_than_is_kept(void **state)
{
	static struct account_of_told account;
	struct board board = {.name = "many", .more = "period_s 1", .is_virtual = true};
	struct house *house = accounts_house();
	struct client *admin = boards_admin(house);
	size_t lost;

	(void)state;
	boards_begin(&board, 1, house, admin);
	go_away(&board);
	for (int i = 0; i < 40; i++) {
		rig_do(board.rig, "temperature %d", i);
		board_run(&board, 1);
	}
	come_back(&board);
	lost = deliver(&board);
	take_account(&board, &account);
	assert_in_range(lost, 40, 100);
	expect_missing(&account, lost, 1);
	expect_stored(&board, account.readings);
	print_message("# %s: %zu readings, %zu lost\n", board.name, account.readings, lost);
	board_end(&board);
	client_free(admin);
	house_free(house);
}

/* The first thing that it says, after its Will that the broker says for it. */
static const struct message *first_word(struct board *board)
{
	for (int i = 0; i < ONLINE_S * 2; i++) {
		const struct message *message;

		board_run(board, 0.5);
		while ((message = client_take_any(board->admin, 2)) != NULL)
			if (strcmp(message->payload, "offline") != 0)
				return message;
	}
	fail_msg("%s does not come back", board->name);
	return NULL;
}

static void fire_while_away(void **state)
{
	struct board board = {.name = "fire", .is_virtual = true};
	struct house *house = accounts_house();
	struct client *admin = boards_admin(house);
	const struct message *message;
	struct told told[TOLD_MAX];
	double lit;
	size_t count;

	(void)state;
	boards_begin(&board, 1, house, admin);
	assert_true(board_is_online(&board, ONLINE_S));
	client_publish_retained(admin, "lab/fire/fire/config",
	                        json("{'rules':[{'name':'fire','when':{'equals':1},"
	                             "'then':[{'set':'lab/fire/door','to':'open'}]}]}"));
	board_expect_alive(&board, ONLINE_S);
	rig_do(board.rig, "wifi off");
	board_wait(&board, 5, "module left");
	board_run(&board, 5);
	client_drain(admin, NULL);

	lit = rig_do(board.rig, "flame on");
	assert_true(board_wait(&board, 5, "buzzer 2")->time - lit < 0.1);
	client_expect_none(admin, board_topic(&board, "fire", "value"));
	assert_int_equal(rig_count(board.rig, "door 2"), 0);

	rig_do(board.rig, "wifi on");
	message = first_word(&board);
	assert_string_equal(message->topic, board_topic(&board, "fire", "value"));
	count = board_told(message, told);
	assert_true(told[count - 1].value == 1);
	board_wait(&board, 5, "door 2000");
	client_expect_last(admin, board_topic(&board, "door", "set"), "open");
	board_end(&board);
	client_free(admin);
	house_free(house);
}

static int end(void **state)
{
	rig_teardown(state);
	return client_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(access_point_away, end),
		cmocka_unit_test_teardown(more_than_is_kept, end),
		cmocka_unit_test_teardown(fire_while_away, end),
	};

	return cmocka_run_group_tests_name("offline", tests, NULL, NULL);
}
