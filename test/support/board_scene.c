/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See board_scene.h. */
#include "board_scene.h"

#include "accounts.h"
#include "patience.h"
#include "quotes.h"

#include <cjson/cJSON.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOPIC_MAX    160
#define ONLINE_S     60  /* after the start, or an outage */
#define STEP_S       0.1 /* of virtual time */
#define STEP_WAIT_MS 5   /* of real time, between two of them */
#define RUN_S        600 /* of real time, that any `run` may take */

static const char *below_board(const char *below, char topic[static TOPIC_MAX])
{
	snprintf(topic, TOPIC_MAX, BOARD "/%s", below);
	return topic;
}

/* ---- begin and end ---- */

struct board_scene board_scene_begin(const char *options, const char *settings)
{
	struct board_scene s = {.house = accounts_house()};

	s.admin = accounts_admin(s.house);
	s.secret = accounts_add_device(s.admin, BOARD_LOCATION, BOARD_DEVICE);
	client_subscribe(s.admin, BOARD_LOCATION "/#");
	s.is_virtual = options != NULL && strstr(options, "--virtual") != NULL;
	s.rig = rig_start(options);
	rig_provision(s.rig, s.house, BOARD_LOCATION, BOARD_DEVICE, s.secret, settings);
	board_comes_online(&s);
	/* Of all its messages at the start the last. */
	assert_non_null(board_says(&s, ONLINE_S, "humidity/value"));
	client_drain(s.admin, NULL);
	return s;
}

void board_scene_end(struct board_scene *s)
{
	rig_free(s->rig);
	client_free(s->admin);
	free(s->secret);
	house_free(s->house);
}

int board_scene_teardown(void **state)
{
	rig_teardown(state);
	return client_teardown(state);
}

/* ---- what people do ---- */

void board_configure(const struct board_scene *s, const char *sensor, const char *single_quoted)
{
	char below[TOPIC_MAX / 2], topic[TOPIC_MAX];

	snprintf(below, sizeof(below), "%s/config", sensor);
	client_publish_retained(s->admin, below_board(below, topic), single_quoted == NULL ? "" : json(single_quoted));
	client_expect(s->admin, topic, single_quoted == NULL ? "" : json(single_quoted), SOON);
}

void board_set(const struct board_scene *s, const char *actuator, const char *text)
{
	char below[TOPIC_MAX / 2], topic[TOPIC_MAX];

	snprintf(below, sizeof(below), "%s/set", actuator);
	client_publish(s->admin, below_board(below, topic), text);
}

/* ---- what the board does ---- */

/* The moment, in seconds, that a wait for so long ends: of its own time if that is virtual. */
struct wait {
	double left;
	int64_t deadline;
};

static struct wait wait_for(double seconds)
{
	return (struct wait){seconds, deadline_in((int)(seconds * 1000))};
}

/* Lets some time pass; false: it is over. */
static bool goes_on(const struct board_scene *s, struct wait *wait)
{
	if (!s->is_virtual) {
		look_again();
		return now_ms() < wait->deadline;
	}
	if (wait->left <= 0)
		return false;
	board_passes(s, STEP_S);
	wait->left -= STEP_S;
	return true;
}

void board_passes(const struct board_scene *s, double seconds)
{
	int64_t deadline = now_ms() + (int64_t)(seconds * 1000);
	double ended;

	if (!s->is_virtual) {
		while (now_ms() < deadline)
			look_again();
		return;
	}
	ended = rig_do(s->rig, "run %.3f", seconds) + seconds;
	deadline = deadline_in(RUN_S * 1000);
	for (;;) {
		const struct rig_line *ran = rig_last(s->rig, "ran");

		if (ran != NULL && ran->time > ended - 0.001)
			return;
		if (now_ms() > deadline)
			fail_msg("%g virtual seconds take for ever", seconds);
		look_again();
	}
}

const struct rig_line *board_tells(const struct board_scene *s, double seconds, const char *format, ...)
{
	struct wait wait = wait_for(seconds);
	char text[TOPIC_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (!s->is_virtual)
		return rig_wait(s->rig, seconds, "%s", text);
	while (rig_is_quiet(s->rig, 0, text) && goes_on(s, &wait))
		client_fence(s->admin);
	return rig_wait(s->rig, 0, "%s", text);
}

double board_do(const struct board_scene *s, const char *format, ...)
{
	char text[TOPIC_MAX];
	va_list arguments;
	double time;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	time = rig_do(s->rig, "%s", text);
	rig_wait(s->rig, 0, "input %s", text);
	return time;
}

const struct message *board_says(const struct board_scene *s, double seconds, const char *below)
{
	struct wait wait = wait_for(seconds);
	char topic[TOPIC_MAX];

	for (;;) {
		const struct message *message = client_take(s->admin, below_board(below, topic), STEP_WAIT_MS);

		if (message != NULL || !goes_on(s, &wait))
			return message;
	}
}

void board_comes_online(const struct board_scene *s)
{
	const struct message *status;

	/* Before it the Will of a session that it had lost may come. */
	do {
		status = board_says(s, ONLINE_S, "device/status");
		if (status == NULL) {
			fail_msg("the board does not come online");
			return;
		}
	} while (strcmp(status->payload, "online") != 0);
}

static bool is_value(const cJSON *reading, double wanted)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(reading, "value");

	return cJSON_IsNumber(value) && value->valuedouble > wanted - 0.05 && value->valuedouble < wanted + 0.05;
}

static bool has_value(const char *payload, double wanted)
{
	cJSON *json_value = cJSON_Parse(payload);
	const cJSON *reading, *readings = cJSON_GetObjectItemCaseSensitive(json_value, "readings");
	bool has = is_value(json_value, wanted);

	cJSON_ArrayForEach(reading, readings)
	{
		has = has || is_value(reading, wanted);
	}
	cJSON_Delete(json_value);
	return has;
}

void board_reads(const struct board_scene *s, double seconds, const char *sensor, double value)
{
	int64_t deadline = deadline_in((int)(seconds * 1000));
	char below[TOPIC_MAX / 2];
	const struct message *message;

	snprintf(below, sizeof(below), "%s/value", sensor);
	do {
		message = board_says(s, seconds, below);
		if (message != NULL && has_value(message->payload, value))
			return;
	} while (message != NULL && (s->is_virtual || now_ms() < deadline));
	fail_msg("no %s of %g within %g s", sensor, value, seconds);
}

int board_stack(const struct board_scene *s)
{
	const struct rig_line *line;

	rig_do(s->rig, "stack");
	line = rig_last(s->rig, "stack ");
	assert_non_null(line);
	return (int)strtol(line->text + strlen("stack "), NULL, 10);
}
