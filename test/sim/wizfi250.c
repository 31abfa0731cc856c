/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wizfi250: the module's life, what it says, and its connection. Commands: wizfi250_command.c.
 *
 * Everything it says goes through one queue, and only whole lines or whole parts of received data are put in, so that they
 * never mix. `poll` looks in turn at its life, the running command, and the connection.
 */
#include "wizfi250.h"

#include "events.h"
#include "wizfi250_internal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVE_MAX 1460
#define WAITING_MAX 2048

struct wizfi250 *wizfi250_new(const char *ssid, const char *key)
{
	struct wizfi250 *module = calloc(1, sizeof *module);

	if (!module)
		return NULL;
	module->socket = socket_new();
	if (!module->socket) {
		free(module);
		return NULL;
	}
	module->ssid = ssid;
	module->key = key;
	module->access_point = true;
	bytes_init(&module->out, module->out_array, sizeof module->out_array);
	return module;
}

void wizfi250_free(struct wizfi250 *module)
{
	if (!module)
		return;
	socket_free(module->socket);
	free(module);
}

void wizfi250_trace(struct wizfi250 *module, bool on)
{
	module->trace = on;
}

/* ---- what it says ---- */

static void put_all(struct wizfi250 *module, const void *bytes, size_t length)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < length; i++)
		bytes_put(&module->out, byte[i]);
}

void wizfi250_say(struct wizfi250 *module, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	put_all(module, text, strlen(text));
	if (module->trace)
		events_tell("trace < %s", text);
}

static void say_received(struct wizfi250 *module, const uint8_t *bytes, size_t length)
{
	/* "127.0.0.1 1883" → "127.0.0.1,1883" */
	const struct socket_traffic *traffic = socket_traffic(module->socket, 0);
	const int address = (int)strcspn(traffic->peer, " ");

	wizfi250_say(module, "{0,%.*s,%s,%zu}", address, traffic->peer, traffic->peer + address + 1, length);
	put_all(module, bytes, length);
	put_all(module, "\r\n", 2);
	if (module->trace)
		events_tell_bytes("trace received", bytes, length);
}

bool wizfi250_give(struct wizfi250 *module, uint8_t *byte)
{
	return wizfi250_waiting(module) && bytes_get(&module->out, byte);
}

size_t wizfi250_waiting(const struct wizfi250 *module)
{
	return wizfi250_awake(module) && !wizfi250_frozen(module) ? module->out.count : 0;
}

/* ---- its life ---- */

bool wizfi250_awake(const struct wizfi250 *module)
{
	return module->life >= LIFE_RUNNING && !module->pin_low;
}

bool wizfi250_frozen(const struct wizfi250 *module)
{
	return module->life == LIFE_FROZEN;
}

void wizfi250_leave(struct wizfi250 *module, uint64_t now)
{
	if (module->told != SOCKET_CLOSED)
		events_tell("module disconnected");
	socket_abandon(module->socket, now);
	module->told = SOCKET_CLOSED;
	module->opening = false;
	if (module->joined)
		events_tell("module left");
	module->joined = false;
}

/* All that it knew is gone. */
static void forget(struct wizfi250 *module, uint64_t now)
{
	wizfi250_leave(module, now);
	module->echo = true;
	module->fixed_address = false;
	module->wanted_ssid[0] = '\0';
	module->wanted_key[0] = '\0';
	module->length = 0;
	module->too_long = false;
	module->finish = NULL;
	module->data_wanted = 0;
	module->paused_until = 0;
	bytes_clear(&module->out);
}

static void start(struct wizfi250 *module, uint64_t now)
{
	forget(module, now);
	module->life = LIFE_STARTING;
	module->until = now + STARTING_TAKES;
	events_tell("module reset");
}

void wizfi250_power(struct wizfi250 *module, bool on, uint64_t now)
{
	if (on) {
		start(module, now);
		return;
	}
	forget(module, now);
	module->life = LIFE_OFF;
}

void wizfi250_pin(struct wizfi250 *module, bool low, uint64_t now)
{
	if (low == module->pin_low)
		return;
	module->pin_low = low;
	if (low)
		module->pin_since = now;
	else if (module->life != LIFE_OFF && now - module->pin_since >= PIN_RESET_AFTER)
		start(module, now);
}

void wizfi250_restart(struct wizfi250 *module, uint64_t now)
{
	if (module->life != LIFE_RUNNING)
		return;
	wizfi250_leave(module, now);
	wizfi250_say(module, "\r\n[Reset Event]\r\n");
	module->life = LIFE_RESTARTING;
	module->until = now + RESTARTING_TAKES;
}

void wizfi250_freeze(struct wizfi250 *module, uint64_t now)
{
	if (module->life == LIFE_OFF)
		return;
	wizfi250_leave(module, now);
	module->life = LIFE_FROZEN;
	events_tell("module frozen");
}

static void poll_life(struct wizfi250 *module, uint64_t now)
{
	/* Held long enough, it has forgotten its connections before it is let go. */
	if (module->pin_low && now - module->pin_since >= PIN_RESET_AFTER)
		forget(module, now);
	if (now < module->until || module->pin_low)
		return;
	if (module->life == LIFE_RESTARTING)
		start(module, now);
	else if (module->life == LIFE_STARTING) {
		module->life = LIFE_RUNNING;
		wizfi250_say(module, "\r\nWizFi250 Version 1.0.5.2 (WIZnet Co.Ltd)\r\n");
	}
}

/* ---- what it takes ---- */

bool wizfi250_wants(const struct wizfi250 *module, uint64_t now)
{
	return now >= module->paused_until;
}

void wizfi250_pause(struct wizfi250 *module, uint64_t until)
{
	module->paused_until = until;
}

static void take_data(struct wizfi250 *module, uint8_t byte, uint64_t now)
{
	module->data[module->data_length++] = byte;
	if (--module->data_wanted == 0)
		wizfi250_send(module, now);
}

static void take_command(struct wizfi250 *module, uint8_t byte, uint64_t now)
{
	if (module->echo)
		bytes_put(&module->out, byte);
	if (byte == '\n')
		return;
	if (byte != '\r') {
		if (module->length < LINE_BYTES)
			module->line[module->length++] = (char)byte;
		else
			module->too_long = true;
		return;
	}
	module->line[module->length] = '\0';
	if (module->trace)
		events_tell("trace > %s", module->line);
	/* A NUL would hide the rest of the line: then it is no command. */
	if (strlen(module->line) != module->length)
		module->line[0] = '?';
	if (module->length)
		wizfi250_command(module, module->line, now);
	module->length = 0;
	module->too_long = false;
}

void wizfi250_take(struct wizfi250 *module, uint8_t byte, uint64_t now)
{
	if (module->life != LIFE_RUNNING || module->pin_low)
		return;
	if (module->data_wanted)
		take_data(module, byte, now);
	else
		take_command(module, byte, now);
}

/* ---- its connection ---- */

static void disconnected(struct wizfi250 *module)
{
	wizfi250_say(module, "\r\n[DISCONNECT 0]\r\n");
	if (module->told == SOCKET_OPEN)
		events_tell("module disconnected");
	module->told = SOCKET_CLOSED;
	module->opening = false;
}

static void poll_connection(struct wizfi250 *module, uint64_t now)
{
	const enum socket_state state = socket_poll(module->socket, now);
	uint8_t bytes[RECEIVE_MAX];
	size_t length;

	if (module->opening) {
		if (state == SOCKET_CONNECTING || now - module->opening_since < CONNECT_AFTER)
			return;
		if (state == SOCKET_CLOSED) {
			disconnected(module);
			return;
		}
		module->opening = false;
		module->told = SOCKET_OPEN;
		wizfi250_say(module, "\r\n[CONNECT 0]\r\n");
		events_tell("module connected %s", socket_traffic(module->socket, 0)->peer);
	}
	if (module->told != SOCKET_OPEN || module->out.count > WAITING_MAX)
		return;
	length = socket_receive(module->socket, bytes, sizeof bytes, now);
	if (length)
		say_received(module, bytes, length);
	else if (socket_poll(module->socket, now) == SOCKET_CLOSED)
		disconnected(module);
}

void wizfi250_drop(struct wizfi250 *module, uint64_t now)
{
	if (module->told != SOCKET_OPEN)
		return;
	socket_close(module->socket, now);
	disconnected(module);
}

bool wizfi250_garbage(struct wizfi250 *module, unsigned count)
{
	uint8_t bytes[RECEIVE_MAX];

	if (module->told != SOCKET_OPEN)
		return false;
	while (count) {
		const unsigned length = count < sizeof bytes ? count : (unsigned)sizeof bytes;

		for (unsigned i = 0; i < length; i++)
			bytes[i] = (uint8_t)random();
		say_received(module, bytes, length);
		count -= length;
	}
	return true;
}

/* ---- the world around it ---- */

bool wizfi250_finds_network(const struct wizfi250 *module)
{
	return module->access_point && (!module->ssid || strcmp(module->ssid, module->wanted_ssid) == 0) &&
	       (!module->key || strcmp(module->key, module->wanted_key) == 0);
}

void wizfi250_access_point(struct wizfi250 *module, bool on, uint64_t now)
{
	module->access_point = on;
	if (on || !module->joined)
		return;
	wizfi250_leave(module, now);
	if (module->life == LIFE_RUNNING)
		wizfi250_say(module, "\r\n[Link-Down Event]\r\n");
}

void wizfi250_dhcp(struct wizfi250 *module, enum wizfi250_dhcp dhcp)
{
	module->dhcp = dhcp;
}

bool wizfi250_name(struct wizfi250 *module, const char *name, const char *ip)
{
	struct wizfi250_name *place = module->names;

	while (place < module->names + module->name_count && strcmp(place->name, name) != 0)
		place++;
	if (place == module->names + NAMES_MAX || strlen(name) >= sizeof place->name || strlen(ip) >= sizeof place->ip)
		return false;
	if (place == module->names + module->name_count)
		module->name_count++;
	snprintf(place->name, sizeof place->name, "%s", name);
	snprintf(place->ip, sizeof place->ip, "%s", ip);
	return true;
}

struct socket *wizfi250_socket(struct wizfi250 *module)
{
	return module->socket;
}

void wizfi250_poll(struct wizfi250 *module, uint64_t now)
{
	poll_life(module, now);
	if (module->life != LIFE_RUNNING || module->pin_low)
		return;
	if (module->finish && now >= module->finish_at) {
		void (*finish)(struct wizfi250 *, uint64_t) = module->finish;

		module->finish = NULL;
		finish(module, now);
	}
	poll_connection(module, now);
}
