/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * What a board does by itself, with a real broker and the real firmware: a fire, which it tells at once and sounds with or without a
 * network; being there and being gone; the safe state of its outputs; being deaf to commands of long ago.
 *
 * Time is virtual, but real with TEST_LONG. The broker's is always real, so that it takes seconds until it gives a board up.
 */
#include "accounts.h"
#include "board_scene.h"
#include "patience.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_S    3
#define ONLINE_S 30

/* From the flame sensor's pin, in simulated seconds; 20 ms of it are the sensor's filter. */
#define BUZZER_WITHIN_S  0.06
#define PUBLISH_WITHIN_S 0.1
#define ROUNDS           12

#define KEEPALIVE  "keepalive_s 10"
#define OFFLINE_MS 30000 /* 1.5 times that, and the broker's leisure */
#define SAFE_S     8
#define SAFE       "safe_after_s 8;safe_led 30;safe_window 0"

static const char *mode(const char *virtual, const char *real)
{
	return getenv("TEST_LONG") == NULL ? virtual : real;
}

/* ---- what goes over the wire ---- */

/* The line tells of bytes with this text among them. */
static bool has_text(const struct rig_line *line, const char *text)
{
	char hex[129] = "";

	assert_true(strlen(text) < sizeof(hex) / 2);
	for (size_t i = 0; text[i] != '\0'; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)text[i]);
	return strstr(line->text, hex) != NULL;
}

/* When the bytes of a PUBLISH with both texts left the board; it has. */
static double publish_sent(struct rig *rig, const char *text, const char *and)
{
	for (;;) {
		const struct rig_line *line = rig_wait(rig, NOW_S, "trace sent 3");

		if (has_text(line, text) && has_text(line, and))
			return line->time;
	}
}

/* ---- fire ---- */

/* Each time at another moment of the telling of something else. */
static void fire_is_told_at_once(void **state)
{
	struct board_scene s = board_scene_begin(mode("--virtual --trace", "--trace"), "change_illuminance 1");
	double buzzer_most = 0, publish_most = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		double pin, buzzer, published;

		board_do(&s, "light %d", 100 + 50 * i);
		board_passes(&s, 0.012 * i + 0.001);
		pin = board_do(&s, "flame on");
		buzzer = board_tells(&s, NOW_S, "buzzer 2")->time - pin;
		board_reads(&s, NOW_S, "fire", 1);
		published = publish_sent(s.rig, "/fire/value", "\"value\":1}") - pin;
		buzzer_most = buzzer > buzzer_most ? buzzer : buzzer_most;
		publish_most = published > publish_most ? published : publish_most;
		board_set(&s, "buzzer", "off");
		board_tells(&s, NOW_S, "buzzer 0");
		board_do(&s, "flame off");
		board_reads(&s, NOW_S, "fire", 0);
	}
	print_message("fire: pin to buzzer at most %.1f ms, pin to PUBLISH at most %.1f ms\n", buzzer_most * 1000,
	              publish_most * 1000);
	assert_true(buzzer_most < BUZZER_WITHIN_S);
	assert_true(publish_most < PUBLISH_WITHIN_S);
	board_scene_end(&s);
}

static void fire_acts_on_the_house(void **state)
{
	struct board_scene s = board_scene_begin(mode("--virtual", NULL), NULL);

	(void)state;
	board_configure(
		&s, "fire",
		"{'rules':[{'name':'fire','when':{'equals':1},'auto':false,'priority':100,'then':["
		"{'set':'{location}/{device}/motor','to':1},{'set':'{location}/{device}/door','to':'open'},"
		"{'set':'{location}/{device}/buzzer','to':'alarm'}],'else':[{'set':'{location}/{device}/buzzer','to':'off'},"
		"{'set':'{location}/{device}/motor','to':0}]}]}");
	client_publish(s.admin, BOARD_LOCATION "/hearth/auto/set", "0");
	board_do(&s, "flame on");
	board_tells(&s, NOW_S, "buzzer 2");
	board_tells(&s, NOW_S, "motor 255 forward");
	board_tells(&s, NOW_S, "door 2000");
	board_tells(&s, NOW_S, "door off");
	board_do(&s, "flame off");
	board_tells(&s, NOW_S, "motor 0 stopped");
	board_tells(&s, NOW_S, "buzzer 0");
	assert_int_equal(rig_count(s.rig, "door 1000"), 0);
	board_scene_end(&s);
}

/* ---- there and gone ---- */

/* The next that is said there. */
static void expect(const struct board_scene *s, const char *below, const char *wanted)
{
	const struct message *message = board_says(s, ONLINE_S, below);

	if (message == NULL)
		fail_msg("nothing on %s", below);
	else
		assert_string_equal(message->payload, wanted);
}

static void online_is_said_behind_the_suback(void **state)
{
	struct board_scene s = board_scene_begin(mode("--virtual --trace", "--trace"), NULL);
	const struct message *message;
	const struct rig_line *suback;
	double first;

	(void)state;
	first = rig_wait(s.rig, NOW_S, "trace sent 3")->time;
	suback = rig_last(s.rig, "trace received 90");
	assert_non_null(suback);
	assert_true(suback->time < first);
	client_unsubscribe(s.admin, BOARD_LOCATION "/#");
	client_subscribe(s.admin, BOARD_LOCATION "/#");
	message = client_expect(s.admin, BOARD "/device/status", "online", SOON);
	assert_true(message->retain);
	board_scene_end(&s);
}

static const struct message *neighbour_says(const struct board_scene *other, const char *topic)
{
	for (int i = 0; i < 10 * ONLINE_S; i++) {
		const struct message *message = client_take(other->admin, topic, 1);

		if (message != NULL)
			return message;
		board_passes(other, 0.1);
	}
	fail_msg("nothing on %s", topic);
	return NULL;
}

/* Another board, in the hall; its voice is heard by the same administrator. */
static struct board_scene neighbour(const struct board_scene *s, char **secret)
{
	struct board_scene other = *s;

	*secret = accounts_add_device(s->admin, "hall", "uno2");
	other.rig = rig_start(mode("--virtual", NULL));
	client_subscribe(s->admin, "hall/#");
	rig_provision(other.rig, s->house, "hall", "uno2", *secret, KEEPALIVE);
	assert_string_equal(neighbour_says(&other, "hall/uno2/device/status")->payload, "online");
	client_drain(s->admin, NULL);
	return other;
}

/* A board whose access point is gone: it sounds a fire, and its outputs go to their safe states. */
static void lives_without_a_network(struct board_scene *s)
{
	double left, pin, heard, safe;

	board_set(s, "led", "200");
	board_set(s, "motor", "-77");
	board_tells(s, NOW_S, "led 200");
	board_tells(s, NOW_S, "motor 77 reverse");
	rig_do(s->rig, "wifi off");
	left = board_tells(s, NOW_S, "module left")->time;
	pin = board_do(s, "flame on");
	heard = board_tells(s, NOW_S, "buzzer 2")->time;
	if (heard - pin > BUZZER_WITHIN_S)
		fail_msg("without a network a fire is heard after %.3f s", heard - pin);
	board_passes(s, 0.2);
	board_do(s, "flame off");
	safe = board_tells(s, SAFE_S + 2, "led 30")->time;
	if (safe - left < SAFE_S - 0.1 || safe - left > SAFE_S + 0.5)
		fail_msg("the safe state came after %.3f s", safe - left);
	board_tells(s, NOW_S, "motor 0 stopped");
	board_tells(s, NOW_S, "window 1000");
	/* The alarm goes on: safe_buzzer is `keep`. */
	board_tells(s, NOW_S, "buzzer 2500");
}

static void board_that_is_gone_is_offline(void **state)
{
	struct board_scene s = board_scene_begin(mode("--virtual", NULL), KEEPALIVE ";" SAFE), other;
	char *secret;

	(void)state;
	other = neighbour(&s, &secret);
	board_do(&other, "power off");
	lives_without_a_network(&s);
	/* Both by their Wills: nobody has closed a connection. */
	client_expect(s.admin, "hall/uno2/device/status", "offline", OFFLINE_MS);
	client_expect(s.admin, BOARD "/device/status", "offline", OFFLINE_MS);
	client_drain(s.admin, NULL);

	board_do(&s, "wifi on");
	board_comes_online(&s);
	/* The fire of then, which is over, is told all the same; and what became of the outputs. */
	board_reads(&s, NOW_S, "fire", 1);
	expect(&s, "led/state", "30");
	expect(&s, "motor/state", "0");
	expect(&s, "window/state", "closed");

	/* A command that waited for the other one since who knows when opens no door. */
	client_publish_retained(s.admin, "hall/uno2/door/set", "open");
	client_fence(s.admin);
	client_drain(s.admin, NULL);
	board_do(&other, "power on");
	assert_string_equal(neighbour_says(&other, "hall/uno2/device/status")->payload, "online");
	assert_non_null(strstr(neighbour_says(&other, "hall/uno2/door/error")->payload, "refused_set"));
	board_passes(&other, 1);
	assert_int_equal(rig_count(other.rig, "door"), 0);
	rig_free(other.rig);
	free(secret);
	board_scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(fire_is_told_at_once, board_scene_teardown),
		cmocka_unit_test_teardown(fire_acts_on_the_house, board_scene_teardown),
		cmocka_unit_test_teardown(online_is_said_behind_the_suback, board_scene_teardown),
		cmocka_unit_test_teardown(board_that_is_gone_is_offline, board_scene_teardown),
	};

	return cmocka_run_group_tests_name("device alone", tests, NULL, NULL);
}
