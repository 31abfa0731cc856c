/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rig_model_fixture: the rig's WizFi250 without an AVR, a peer on loopback, and how a test talks with both.
 *
 * Simulated time is the test's own. A step of a dialogue is what the host sends, how much time passes, and exactly what the
 * module has said by then. Only where a real socket takes part is real time waited for, with a deadline. A "%" in a text
 * stands for the peer's port.
 */
#ifndef RIG_MODEL_FIXTURE_H
#define RIG_MODEL_FIXTURE_H

#include "wizfi250.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOON_MS   5000
#define JOINED_MS 302
#define CONNECTED "[OK]\r\n\r\n[CONNECT 0]\r\n"
#define BANNER    "\r\nWizFi250 Version 1.0.5.2 (WIZnet Co.Ltd)\r\n"
#define LINK_UP   "\r\n[Link-Up Event]\r\n"
#define JOINED    LINK_UP "  IP Addr    : 192.168.1.20\r\n  Gateway    : 192.168.1.1\r\n[OK]\r\n"
#define OK        "[OK]\r\n"
#define INPUT     "[ERROR: INVALID INPUT]\r\n"
#define WIFI      "[ERROR: WiFi Status]\r\n"
#define SCID      "[ERROR: INVALID SCID]\r\n"
#define MODE      "[ERROR: Mode Status]\r\n"

struct scene {
	struct wizfi250 *module;
	uint64_t now;
	int listener, peer;
	char port[8];
	char said[20000];
	size_t length;
	char raw[1024]; /* of the wire: what came but nulls, two digits each */
	size_t raw_length;
};

static inline int set_up(void **state)
{
	static struct scene scenes[1];
	struct scene *scene = scenes;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;

	*scene = (struct scene){0};
	scene->module = wizfi250_new("home", "correct horse");
	scene->listener = socket(AF_INET, SOCK_STREAM, 0);
	scene->peer = -1;
	if (bind(scene->listener, (struct sockaddr *)&address, size) || listen(scene->listener, 4) ||
	    getsockname(scene->listener, (struct sockaddr *)&address, &size))
		return -1;
	snprintf(scene->port, sizeof scene->port, "%u", ntohs(address.sin_port));
	*state = scene;
	return 0;
}

static inline int tear_down(void **state)
{
	struct scene *scene = *state;

	if (scene->peer >= 0)
		close(scene->peer);
	if (scene->listener >= 0)
		close(scene->listener);
	wizfi250_free(scene->module);
	return 0;
}

/* ---- the dialogue ---- */

static inline void listen_to(struct scene *scene)
{
	uint8_t byte;

	while (scene->length < sizeof scene->said - 1 && wizfi250_give(scene->module, &byte))
		scene->said[scene->length++] = (char)byte;
	scene->said[scene->length] = '\0';
}

static inline void pass(struct scene *scene, uint64_t ms)
{
	for (uint64_t i = 0; i < 2 * ms; i++) {
		scene->now += 500;
		wizfi250_poll(scene->module, scene->now);
		listen_to(scene);
	}
}

static inline void send_text(struct scene *scene, const char *text)
{
	for (; *text; text++) {
		if (*text != '%') {
			wizfi250_take(scene->module, (uint8_t)*text, scene->now);
			continue;
		}
		for (const char *digit = scene->port; *digit; digit++)
			wizfi250_take(scene->module, (uint8_t)*digit, scene->now);
	}
	listen_to(scene);
}

/* The module has said exactly this within so much time; where a socket takes part, it may come `late`. */
static inline void expect_within(struct scene *scene, const char *text, int late)
{
	char wanted[4096];
	size_t length = 0;

	for (; *text; text++) {
		wanted[length] = *text;
		length += *text == '%' ? (size_t)snprintf(wanted + length, sizeof wanted - length, "%s", scene->port) : 1;
	}
	wanted[length] = '\0';
	for (int ms = 0; ms < late && scene->length < length; ms++) {
		poll(NULL, 0, 1);
		pass(scene, 1);
	}
	assert_string_equal(scene->said, wanted);
	scene->length = 0;
	scene->said[0] = '\0';
}

static inline void expect(struct scene *scene, const char *text)
{
	expect_within(scene, text, SOON_MS);
}

static inline void say(struct scene *scene, const char *text, uint64_t ms, const char *answer)
{
	send_text(scene, text);
	pass(scene, ms);
	expect_within(scene, answer, 0);
}

static inline void start(struct scene *scene)
{
	wizfi250_power(scene->module, true, scene->now);
	pass(scene, 1000);
	expect(scene, BANNER);
	say(scene, "AT+MECHO=0\r", 2, "AT+MECHO=0\r" OK);
}

static inline void join(struct scene *scene)
{
	start(scene);
	say(scene, "AT+WSET=0,home\r", 2, OK);
	say(scene, "AT+WSEC=0,,correct horse\r", 2, OK);
	say(scene, "AT+WNET=1\r", 2, OK);
	say(scene, "AT+WJOIN\r", JOINED_MS, JOINED);
}

static inline void connect_to_peer(struct scene *scene)
{
	send_text(scene, "AT+SCON=O,TCN,127.0.0.1,%,,0\r");
	expect(scene, CONNECTED);
	if (scene->peer >= 0)
		close(scene->peer);
	scene->peer = accept(scene->listener, NULL, NULL);
	assert_true(scene->peer >= 0);
}

static inline void peer_has(struct scene *scene, const char *text)
{
	char got[4096];
	size_t length = 0;
	struct pollfd look = {.fd = scene->peer, .events = POLLIN};

	while (length < strlen(text) && poll(&look, 1, SOON_MS) == 1) {
		const ssize_t more = recv(scene->peer, got + length, sizeof got - length, 0);

		if (more <= 0)
			break;
		length += (size_t)more;
	}
	assert_int_equal(length, strlen(text));
	assert_memory_equal(got, text, length);
}

/* Nothing came, and the connection is open. */
static inline void peer_hears_nothing(struct scene *scene)
{
	char byte;

	assert_int_equal(recv(scene->peer, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static inline void peer_sees_the_end(struct scene *scene)
{
	char byte;
	struct pollfd look = {.fd = scene->peer, .events = POLLIN};

	assert_int_equal(poll(&look, 1, SOON_MS), 1);
	assert_int_equal(recv(scene->peer, &byte, 1, 0), 0);
}

static inline void peer_sends(struct scene *scene, const void *bytes, size_t length)
{
	assert_int_equal(send(scene->peer, bytes, length, MSG_NOSIGNAL), length);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
