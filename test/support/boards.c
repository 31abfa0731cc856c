/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See boards.h. */
#include "boards.h"

#include "accounts.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "rig.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STEP_S   0.5  /* of virtual time */
#define ANSWER_S 60.0 /* a save takes two, and much of the processor that simulates it */

/*
 * Light is told when it is 20 off (settings: change_illuminance), and while it changes a mean of both is measured. With steps of
 * LIGHT_STEP either that is the new one rather than the old, or the new one is told next.
 */
#define LIGHT_STEP 60
#define LIGHT_MOST 1000

/* ---- making them ---- */

struct client *boards_admin(const struct house *house)
{
	struct client *admin = accounts_admin(house);

	client_subscribe(admin, BOARDS_LOCATION "/#");
	return admin;
}

void board_account(struct client *admin, const char *name)
{
	accounts_add(admin,
	             "{'username':'" BOARDS_LOCATION "/%s','role':'device','location':'" BOARDS_LOCATION "','device':'%s'}",
	             name, name);
}

/* Types a line on all of them, and waits for their answers. */
static void type_all(struct board *boards, size_t count, const char *line)
{
	for (size_t i = 0; i < count; i++)
		rig_do(boards[i].rig, "type %s", line);
	for (size_t i = 0; i < count; i++)
		board_wait(&boards[i], ANSWER_S, "console ok");
}

static void type_own(struct board *boards, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rig_do(boards[i].rig, "type set device %s", boards[i].name);
	for (size_t i = 0; i < count; i++) {
		board_wait(&boards[i], ANSWER_S, "console ok");
		rig_do(boards[i].rig, "type set port %d", boards[i].house->port);
	}
	for (size_t i = 0; i < count; i++)
		board_wait(&boards[i], ANSWER_S, "console ok");
}

static void type_more(struct board *board)
{
	char *lines = strdup(board->more), *rest = NULL;

	assert_non_null(lines);
	for (char *line = strtok_r(lines, ";", &rest); line != NULL; line = strtok_r(NULL, ";", &rest)) {
		rig_do(board->rig, "type set %s", line);
		board_wait(board, ANSWER_S, "console ok");
	}
	free(lines);
}

void boards_begin(struct board *boards, size_t count, struct house *house, struct client *admin)
{
	static const char *const lines[] = {
		"set ssid home",
		"set key hearthhearth",
		"set broker 127.0.0.1",
		"set location " BOARDS_LOCATION,
		"set secret " ACCOUNTS_SECRET,
	};

	for (size_t i = 0; i < count; i++) {
		boards[i].house = house;
		boards[i].admin = admin;
		boards[i].light = LIGHT_MOST;
		boards[i].led = 1;
		board_account(admin, boards[i].name);
		boards[i].rig = rig_start(boards[i].is_virtual ? "--virtual" : NULL);
	}
	for (size_t i = 0; i < count; i++)
		board_wait(&boards[i], ANSWER_S, "console hearth device");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		type_all(boards, count, lines[i]);
	type_own(boards, count);
	for (size_t i = 0; i < count; i++)
		if (boards[i].more != NULL)
			type_more(&boards[i]);
	type_all(boards, count, "save");
}

void board_end(struct board *board)
{
	rig_free(board->rig);
	board->rig = NULL;
}

const char *board_topic(struct board *board, const char *sensor, const char *subject)
{
	snprintf(board->topic, sizeof(board->topic), BOARDS_LOCATION "/%s/%s/%s", board->name, sensor, subject);
	return board->topic;
}

/* ---- time and console ---- */

void board_run(struct board *board, double seconds)
{
	size_t before;
	int64_t deadline;

	if (!board->is_virtual)
		return;
	before = rig_count(board->rig, "ran");
	deadline = deadline_in(2 * SOON + (int)(seconds * 1000));
	rig_do(board->rig, "run %.3f", seconds);
	while (rig_count(board->rig, "ran") == before) {
		if (now_ms() > deadline)
			fail_msg("%s: virtual time stands still", board->name);
		look_again();
	}
}

const struct rig_line *board_wait(struct board *board, double seconds, const char *text)
{
	if (!board->is_virtual)
		return rig_wait(board->rig, seconds, "%s", text);
	while (seconds > 0 && rig_is_quiet(board->rig, 0, text)) {
		board_run(board, STEP_S);
		seconds -= STEP_S;
	}
	return rig_wait(board->rig, 0.1, "%s", text);
}

/* ---- what it says ---- */

static double number(const cJSON *object, const char *name, double otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

size_t board_told(const struct message *message, struct told out[static TOLD_MAX])
{
	cJSON *document = cJSON_ParseWithLength(message->payload, message->len);
	const cJSON *readings = cJSON_GetObjectItemCaseSensitive(document, "readings");
	const cJSON *reading = readings == NULL ? document : readings->child;
	size_t count = 0;

	for (; reading != NULL && count < TOLD_MAX; reading = readings == NULL ? NULL : reading->next)
		out[count++] = (struct told){.boot = (int64_t)number(document, "boot", -1),
		                             .seq = (int64_t)number(reading, "seq", -1),
		                             .age = (int64_t)number(reading, "age", 0),
		                             .value = number(reading, "value", NAN)};
	cJSON_Delete(document);
	if (count == 0)
		fail_msg("%s holds no readings: %.300s", message->topic, message->payload);
	return count;
}

static bool tells(const struct message *message, int light)
{
	struct told told[TOLD_MAX] = {{0}};
	size_t count = board_told(message, told);

	return count > 0 && fabs(told[count - 1].value - light) < (double)LIGHT_STEP / 2;
}

bool board_publishes(struct board *board, double seconds)
{
	int64_t deadline = deadline_in((int)(seconds * 1000));
	const char *topic = board_topic(board, "illuminance", "value");

	board->light = board->light >= LIGHT_MOST ? LIGHT_MOST % LIGHT_STEP : board->light + LIGHT_STEP;
	rig_do(board->rig, "light %d", board->light);
	while (board->is_virtual ? seconds > 0 : now_ms() < deadline) {
		const struct message *message;

		board_run(board, STEP_S);
		seconds -= STEP_S;
		while ((message = client_take(board->admin, topic, board->is_virtual ? 2 : 20)) != NULL)
			if (tells(message, board->light))
				return true;
	}
	return false;
}

bool board_is_online(struct board *board, double seconds)
{
	int64_t deadline = deadline_in((int)(seconds * 1000));
	const char *topic = board_topic(board, "device", "status");

	while (board->is_virtual ? seconds > 0 : now_ms() < deadline) {
		const struct message *message;

		board_run(board, STEP_S);
		seconds -= STEP_S;
		while ((message = client_take(board->admin, topic, board->is_virtual ? 2 : 20)) != NULL)
			if (strcmp(message->payload, "online") == 0)
				return true;
	}
	return false;
}

/* One before it may have been told again. */
static void expect_state(struct board *board, const char *level)
{
	const char *topic = board_topic(board, "led", "state");
	const struct message *message;

	while ((message = client_take(board->admin, topic, SOON)) != NULL)
		if (strcmp(message->payload, level) == 0)
			return;
	fail_msg("no %s came to be %s", topic, level);
}

void board_expect_obeys(struct board *board)
{
	char told[32];

	board->led = board->led == 255 ? 2 : board->led + 1;
	snprintf(told, sizeof(told), "led %d", board->led);
	client_publish(board->admin, board_topic(board, "led", "set"), told + strlen("led "));
	board_wait(board, 5, told);
	board_run(board, 1);
	expect_state(board, told + strlen("led "));
	client_expect_last(board->admin, board_topic(board, "device", "status"), "online");
}

void board_expect_alive(struct board *board, double seconds)
{
	if (!board_publishes(board, seconds))
		fail_msg("%s did not publish within %.0f s", board->name, seconds);
	board_expect_obeys(board);
}

size_t board_resets(struct board *board)
{
	return rig_count(board->rig, "reset ");
}

size_t board_losses(struct board *board)
{
	return rig_count(board->rig, "module disconnected") + rig_count(board->rig, "module left");
}
