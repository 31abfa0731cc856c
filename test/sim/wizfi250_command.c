/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wizfi250_command: the AT commands, one row of a table each.
 *
 * A handler looks at its arguments, does what can be done at once, and says how the command ends: `answer_later` for one that
 * only has a result, `finish_later` for one that does something at its end. Until then the module is busy.
 */
#include "events.h"
#include "wizfi250_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 6

#define OK            "[OK]"
#define FAILED        "[ERROR]"
#define INVALID_INPUT "[ERROR: INVALID INPUT]"
#define INVALID_SCID  "[ERROR: INVALID SCID]"
#define WIFI_STATUS   "[ERROR: WiFi Status]"
#define MODE_STATUS   "[ERROR: Mode Status]"

#define JOIN_TAKES      (300 * MILLISECONDS)
#define JOIN_GIVES_UP   (3000 * MILLISECONDS)
#define DHCP_GIVES_UP   (4000 * MILLISECONDS)
#define SCAN_TAKES      (1500 * MILLISECONDS)
#define NAME_TAKES      (50 * MILLISECONDS)
#define NAME_TAKES_MOST (10000 * MILLISECONDS)

static void finish_later(struct wizfi250 *module, void (*finish)(struct wizfi250 *, uint64_t), uint64_t at)
{
	module->finish = finish;
	module->finish_at = at;
}

static void say_answer(struct wizfi250 *module, uint64_t now)
{
	(void)now;
	wizfi250_say(module, "%s\r\n", module->answer);
}

static void answer_later(struct wizfi250 *module, const char *answer, uint64_t at)
{
	module->answer = answer;
	finish_later(module, say_answer, at);
}

static void answer(struct wizfi250 *module, const char *text, uint64_t now)
{
	answer_later(module, text, now + ANSWER_AFTER);
}

/* Cuts at commas, in place; the last field keeps what is left. Returns how many fields there are. */
static size_t cut(char *text, char *fields[], size_t most)
{
	size_t count = 1;

	fields[0] = text;
	while (count < most) {
		char *comma = strchr(fields[count - 1], ',');

		if (!comma)
			break;
		*comma = '\0';
		fields[count++] = comma + 1;
	}
	return count;
}

/* A decimal number in 0 … most, and nothing else. */
static bool number(const char *text, unsigned long most, unsigned long *value)
{
	if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 9)
		return false;
	*value = strtoul(text, NULL, 10);
	return *value <= most;
}

static bool is_address(const char *text)
{
	struct in_addr address;

	return inet_pton(AF_INET, text, &address) == 1;
}

/* ---- the commands ---- */

static void nothing(struct wizfi250 *module, char *arguments, uint64_t now)
{
	answer(module, *arguments ? INVALID_INPUT : OK, now);
}

static void echo(struct wizfi250 *module, char *arguments, uint64_t now)
{
	unsigned long on;

	if (!number(arguments, 1, &on)) {
		answer(module, INVALID_INPUT, now);
		return;
	}
	module->echo = on;
	answer(module, OK, now);
}

static void finish_restart(struct wizfi250 *module, uint64_t now)
{
	wizfi250_say(module, OK "\r\n");
	wizfi250_restart(module, now);
}

static void restart(struct wizfi250 *module, char *arguments, uint64_t now)
{
	if (*arguments)
		answer(module, INVALID_INPUT, now);
	else
		finish_later(module, finish_restart, now + ANSWER_AFTER);
}

/* 0,SSID[,BSSID[,CHANNEL]] */
static void set_network(struct wizfi250 *module, char *arguments, uint64_t now)
{
	char *fields[4];
	const size_t count = cut(arguments, fields, 4);

	if (strcmp(fields[0], "1") == 0)
		answer(module, MODE_STATUS, now);
	else if (strcmp(fields[0], "0") != 0 || count < 2 || !*fields[1] || strlen(fields[1]) >= sizeof module->wanted_ssid)
		answer(module, INVALID_INPUT, now);
	else {
		snprintf(module->wanted_ssid, sizeof module->wanted_ssid, "%s", fields[1]);
		answer(module, OK, now);
	}
}

/* 0,[MODE],KEY; a key may hold commas. */
static void set_security(struct wizfi250 *module, char *arguments, uint64_t now)
{
	static const char *const modes[] = {"", "OPEN", "WEP", "WPA", "WPAAES", "WPA2AES", "WPA2TKIP", "WPA2MIXED"};
	char *fields[3];
	const size_t count = cut(arguments, fields, 3);
	const char *key = count == 3 ? fields[2] : "";
	bool known = false;
	const size_t length = strlen(key);

	for (size_t i = 0; count > 1 && i < sizeof modes / sizeof *modes; i++)
		known = known || strcmp(fields[1], modes[i]) == 0;
	if (strcmp(fields[0], "1") == 0)
		answer(module, MODE_STATUS, now);
	else if (strcmp(fields[0], "0") != 0 || !known || (length && (length < 8 || length > 63)))
		answer(module, INVALID_INPUT, now);
	else {
		snprintf(module->wanted_key, sizeof module->wanted_key, "%s", key);
		answer(module, OK, now);
	}
}

static void set_address(struct wizfi250 *module, char *arguments, uint64_t now)
{
	char *fields[5];
	const size_t count = cut(arguments, fields, 5);
	const bool fixed = count == 4 && strcmp(fields[0], "0") == 0 && is_address(fields[1]) && is_address(fields[2]) &&
	                   is_address(fields[3]);

	if (!fixed && (count != 1 || strcmp(fields[0], "1") != 0)) {
		answer(module, INVALID_INPUT, now);
		return;
	}
	module->fixed_address = fixed;
	answer(module, OK, now);
}

static void finish_join(struct wizfi250 *module, uint64_t now)
{
	const bool zero = module->dhcp == WIZFI250_DHCP_ZERO && !module->fixed_address;

	if (!wizfi250_finds_network(module)) {
		wizfi250_say(module, FAILED "\r\n");
		return;
	}
	wizfi250_say(module, "\r\n[Link-Up Event]\r\n");
	if (module->dhcp == WIZFI250_DHCP_OFF && !module->fixed_address) {
		answer_later(module, FAILED, now + DHCP_GIVES_UP);
		return;
	}
	wizfi250_say(module, "  IP Addr    : %s\r\n  Gateway    : %s\r\n" OK "\r\n", zero ? "0.0.0.0" : "192.168.1.20",
	             zero ? "0.0.0.0" : "192.168.1.1");
	module->joined = true;
	module->addressless = zero;
	events_tell("module joined");
}

static void join(struct wizfi250 *module, char *arguments, uint64_t now)
{
	if (*arguments)
		answer(module, INVALID_INPUT, now);
	else if (module->joined || !*module->wanted_ssid)
		answer(module, WIFI_STATUS, now);
	else
		finish_later(module, finish_join, now + (wizfi250_finds_network(module) ? JOIN_TAKES : JOIN_GIVES_UP));
}

static void finish_leave(struct wizfi250 *module, uint64_t now)
{
	wizfi250_leave(module, now);
	wizfi250_say(module, "\r\n[Link-Down Event]\r\n" OK "\r\n");
}

static void leave(struct wizfi250 *module, char *arguments, uint64_t now)
{
	(void)arguments;
	finish_later(module, finish_leave, now + ANSWER_AFTER);
}

static void finish_scan(struct wizfi250 *module, uint64_t now)
{
	unsigned index = 1;

	(void)now;
	wizfi250_say(module,
	             "Index/SSID/BSSID/RSSI(-dBm)/MaxDataRate(Mbps)/NetworkType/Security/RadioBand(GHz)/Channel\r\n");
	if (module->access_point)
		wizfi250_say(module, "%u/%s/aa:bb:cc:dd:ee:ff/-45/54.0/Infra/%s/2.4GHz/6\r\n", index++,
		             module->ssid ? module->ssid : "home", module->key && !*module->key ? "Open" : "WPA2");
	wizfi250_say(module, "%u/next door/aa:bb:cc:dd:ee:fe/-71/54.0/Infra/WPA2/2.4GHz/11\r\n" OK "\r\n", index);
}

static void scan(struct wizfi250 *module, char *arguments, uint64_t now)
{
	(void)arguments;
	finish_later(module, finish_scan, now + SCAN_TAKES);
}

/* The address of a name, or of itself; NULL: nobody knows it. */
static const char *look_up(const struct wizfi250 *module, const char *name)
{
	if (is_address(name))
		return name;
	for (unsigned i = 0; i < module->name_count; i++)
		if (strcmp(module->names[i].name, name) == 0)
			return module->names[i].ip;
	return NULL;
}

static void finish_name(struct wizfi250 *module, uint64_t now)
{
	const char *ip = look_up(module, module->argument);

	(void)now;
	if (ip && module->joined)
		wizfi250_say(module, "%s\r\n" OK "\r\n", ip);
	else
		wizfi250_say(module, FAILED "\r\n");
}

static void name(struct wizfi250 *module, char *arguments, uint64_t now)
{
	char *fields[2];
	unsigned long most;

	if (cut(arguments, fields, 2) != 2 || !*fields[0] || strlen(fields[0]) >= sizeof module->argument ||
	    !number(fields[1], NAME_TAKES_MOST / MILLISECONDS, &most)) {
		answer(module, INVALID_INPUT, now);
		return;
	}
	snprintf(module->argument, sizeof module->argument, "%s", fields[0]);
	finish_later(module, finish_name, now + (look_up(module, fields[0]) ? NAME_TAKES : most * MILLISECONDS));
}

static void finish_open(struct wizfi250 *module, uint64_t now)
{
	wizfi250_say(module, OK "\r\n");
	if (!module->joined)
		return;
	/* Without an address of its own it reaches nobody. */
	socket_open(module->socket, module->addressless ? "0.0.0.0" : module->argument, module->port, now);
	module->opening = true;
	module->opening_since = now;
}

/* O,TCN,IP,PORT,[LOCAL],0 */
static void open_connection(struct wizfi250 *module, char *arguments, uint64_t now)
{
	char *fields[FIELDS_MAX];
	unsigned long port, local;

	if (cut(arguments, fields, FIELDS_MAX) != FIELDS_MAX || strcmp(fields[0], "O") != 0 ||
	    strcmp(fields[1], "TCN") != 0 || !is_address(fields[2]) || !number(fields[3], UINT16_MAX, &port) ||
	    (*fields[4] && !number(fields[4], UINT16_MAX, &local)))
		answer(module, INVALID_INPUT, now);
	else if (strcmp(fields[5], "0") != 0)
		answer(module, strcmp(fields[5], "1") == 0 ? MODE_STATUS : INVALID_INPUT, now);
	else if (module->opening || module->told == SOCKET_OPEN)
		answer(module, INVALID_SCID, now);
	else {
		snprintf(module->argument, sizeof module->argument, "%s", fields[2]);
		module->port = (uint16_t)port;
		finish_later(module, finish_open, now + ANSWER_AFTER);
	}
}

static void finish_prompt(struct wizfi250 *module, uint64_t now)
{
	(void)now;
	wizfi250_say(module, "[0,,,%zu]\r\n", module->data_length);
	module->data_wanted = module->data_length;
	module->data_length = 0;
}

/* 0,,,N[,MS] */
static void ask_for_data(struct wizfi250 *module, char *arguments, uint64_t now)
{
	char *fields[5];
	unsigned long length, most;
	const size_t count = cut(arguments, fields, 5);

	if (count < 4 || *fields[1] || *fields[2] || !number(fields[3], SEND_MAX, &length) || !length ||
	    (count == 5 && !number(fields[4], 999999999, &most)))
		answer(module, INVALID_INPUT, now);
	else if (strcmp(fields[0], "0") != 0 || module->told != SOCKET_OPEN)
		answer(module, INVALID_SCID, now);
	else {
		module->data_length = length;
		finish_later(module, finish_prompt, now + ANSWER_AFTER);
	}
}

void wizfi250_send(struct wizfi250 *module, uint64_t now)
{
	if (module->told != SOCKET_OPEN) {
		answer(module, INVALID_SCID, now);
		return;
	}
	/* Nothing passes, and its memory is full: the command goes on. */
	if (socket_room(module->socket) < module->data_length) {
		finish_later(module, wizfi250_send, now + ANSWER_AFTER);
		return;
	}
	if (module->trace)
		events_tell_bytes("trace sent", module->data, module->data_length);
	socket_send(module->socket, module->data, module->data_length, now);
	answer(module, OK, now);
}

static void finish_close(struct wizfi250 *module, uint64_t now)
{
	if (module->told == SOCKET_OPEN)
		events_tell("module disconnected");
	socket_close(module->socket, now);
	module->told = SOCKET_CLOSED;
	module->opening = false;
	wizfi250_say(module, OK "\r\n");
}

static void close_connections(struct wizfi250 *module, char *arguments, uint64_t now)
{
	if (strcmp(arguments, "ALL") == 0 || (strcmp(arguments, "0") == 0 && module->told == SOCKET_OPEN))
		finish_later(module, finish_close, now + ANSWER_AFTER);
	else
		answer(module, strcmp(arguments, "0") == 0 ? INVALID_SCID : INVALID_INPUT, now);
}

static const struct command {
	const char *name;
	void (*handle)(struct wizfi250 *module, char *arguments, uint64_t now);
	bool needs_network;
} commands[] = {
	{"AT", nothing, false},
	{"AT+MECHO=", echo, false},
	{"AT+MRESET", restart, false},
	{"AT+WSET=", set_network, false},
	{"AT+WSEC=", set_security, false},
	{"AT+WNET=", set_address, false},
	{"AT+WJOIN", join, false},
	{"AT+WLEAVE", leave, true},
	{"AT+WSCAN", scan, false},
	{"AT+FDNS=", name, true},
	{"AT+SCON=", open_connection, true},
	{"AT+SSEND=", ask_for_data, true},
	{"AT+SMGMT=", close_connections, false},
};

/* A name that ends with "=" is followed by arguments, another one by nothing. */
static bool is_command(const struct command *command, const char *line)
{
	const size_t length = strlen(command->name);

	return command->name[length - 1] == '=' ? strncmp(line, command->name, length) == 0
	                                        : strcmp(line, command->name) == 0;
}

void wizfi250_command(struct wizfi250 *module, char *line, uint64_t now)
{
	const struct command *command = commands;
	const struct command *end = commands + sizeof commands / sizeof *commands;

	if (module->finish) {
		wizfi250_say(module, FAILED "\r\n");
		return;
	}
	while (command < end && !is_command(command, line))
		command++;
	if (command == end || module->too_long)
		answer(module, INVALID_INPUT, now);
	else if (command->needs_network && !module->joined)
		answer(module, WIFI_STATUS, now);
	else
		command->handle(module, line + strlen(command->name), now);
}
