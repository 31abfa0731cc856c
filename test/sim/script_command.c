/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * script_command: one row of a table a command. A handler gets what is behind its name and returns what was wrong, or NULL.
 */
#include "script.h"

#include "events.h"
#include "script_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WANTED_NUMBER "a number is wanted"
#define WANTED_ON_OFF "on or off is wanted"
#define PEEK_MAX      2048

typedef const char *handler(struct rig *rig, char *text);

static const char *type(struct rig *rig, char *text)
{
	return console_type(rig->console, text, strlen(text)) && console_type(rig->console, "\r", 1) ? NULL
	                                                                                             : "too much at once";
}

static const char *temperature(struct rig *rig, char *text)
{
	int value;

	if (!script_text_tenths(text, -400, 1250, &value))
		return "-40.0…125.0 is wanted";
	dht_temperature(rig->dht, value);
	return NULL;
}

static const char *humidity(struct rig *rig, char *text)
{
	int value;

	if (!script_text_tenths(text, 0, 1000, &value))
		return "0.0…100.0 is wanted";
	dht_humidity(rig->dht, value);
	return NULL;
}

static const char *light(struct rig *rig, char *text)
{
	long value;

	if (!script_text_whole(text, 0, 1023, &value))
		return "0…1023 is wanted";
	sensors_light(rig->sensors, (unsigned)value);
	return NULL;
}

static const char *flame(struct rig *rig, char *text)
{
	const int on = script_text_on_off(text);

	if (on < 0)
		return WANTED_ON_OFF;
	sensors_flame(rig->sensors, on);
	return NULL;
}

static const char *dht(struct rig *rig, char *text)
{
	static const char *const words[] = {[DHT_OK] = "ok", [DHT_SILENT] = "silent", [DHT_DAMAGED] = "damaged", NULL};
	const int health = script_text_word(text, words);

	if (health < 0)
		return "ok, silent or damaged is wanted";
	dht_health(rig->dht, (enum dht_health)health);
	return NULL;
}

static const char *wifi(struct rig *rig, char *text)
{
	const int on = script_text_on_off(text);

	if (on < 0)
		return WANTED_ON_OFF;
	wizfi250_access_point(rig->module, on, board_us(rig->board));
	return NULL;
}

static const char *dhcp(struct rig *rig, char *text)
{
	static const char *const words[] = {
		[WIZFI250_DHCP_ON] = "on", [WIZFI250_DHCP_OFF] = "off", [WIZFI250_DHCP_ZERO] = "zero", NULL};
	const int how = script_text_word(text, words);

	if (how < 0)
		return "on, off or zero is wanted";
	wizfi250_dhcp(rig->module, (enum wizfi250_dhcp)how);
	return NULL;
}

static const char *dns(struct rig *rig, char *text)
{
	char *ip = strchr(text, ' ');

	if (!ip)
		return "a name and an address are wanted";
	*ip = '\0';
	return wizfi250_name(rig->module, text, ip + 1) ? NULL : "too many names, or too long a one";
}

static const char *tcp_drop(struct rig *rig, char *text)
{
	(void)text;
	wizfi250_drop(rig->module, board_us(rig->board));
	return NULL;
}

static const char *tcp_stall(struct rig *rig, char *text)
{
	const int on = script_text_on_off(text);

	if (on < 0)
		return WANTED_ON_OFF;
	socket_stall(wizfi250_socket(rig->module), on);
	return NULL;
}

static const char *tcp_garbage(struct rig *rig, char *text)
{
	long count;

	if (!script_text_whole(text, 1, 8192, &count))
		return "1…8192 is wanted";
	return wizfi250_garbage(rig->module, (unsigned)count) ? NULL : "there is no connection";
}

static const char *module_reset(struct rig *rig, char *text)
{
	(void)text;
	wizfi250_restart(rig->module, board_us(rig->board));
	return NULL;
}

static const char *module_freeze(struct rig *rig, char *text)
{
	(void)text;
	wizfi250_freeze(rig->module, board_us(rig->board));
	return NULL;
}

static const char *wire_garbage(struct rig *rig, char *text)
{
	long count;

	if (!script_text_whole(text, 1, WIZFI250_SPI_GARBAGE, &count))
		return "1…4096 is wanted";
	wizfi250_spi_garbage(bus_spi(rig->bus), (unsigned)count);
	return NULL;
}

static const char *wire_pause(struct rig *rig, char *text)
{
	long ms;

	if (!script_text_whole(text, 0, 1000000, &ms))
		return WANTED_NUMBER;
	wizfi250_pause(rig->module, board_us(rig->board) + (uint64_t)ms * 1000);
	return NULL;
}

static const char *power(struct rig *rig, char *text)
{
	const int on = script_text_on_off(text);

	if (on < 0)
		return WANTED_ON_OFF;
	board_power(rig->board, on);
	return NULL;
}

static const char *power_cut(struct rig *rig, char *text)
{
	long writes;

	if (!script_text_whole(text, 0, 1000000, &writes))
		return WANTED_NUMBER;
	eeprom_cut(rig->eeprom, (unsigned long)writes);
	return NULL;
}

static const char *power_brownout(struct rig *rig, char *text)
{
	(void)text;
	board_reset(rig->board, BOARD_RESET_BROWNOUT);
	return NULL;
}

static const char *reset(struct rig *rig, char *text)
{
	(void)text;
	board_reset(rig->board, BOARD_RESET_EXTERNAL);
	return NULL;
}

static const char *hang(struct rig *rig, char *text)
{
	(void)text;
	if (!board_powered(rig->board))
		return "the power is off";
	board_hang(rig->board);
	return NULL;
}

static const char *eeprom_xor(struct rig *rig, char *text)
{
	char *end;
	const unsigned long address = strtoul(text, &end, 0);
	uint8_t byte;

	if (end == text || address >= EEPROM_BYTES || script_text_hex(end, &byte, 1) != 1)
		return "an address 0…1023 and two hexadecimal digits are wanted";
	eeprom_bytes(rig->eeprom)[address] ^= byte;
	return NULL;
}

static const char *eeprom_dump(struct rig *rig, char *text)
{
	(void)text;
	events_tell_bytes("eeprom", eeprom_bytes(rig->eeprom), EEPROM_BYTES);
	return NULL;
}

static const char *poke(struct rig *rig, char *text)
{
	char *behind = strchr(text, ' ');
	uint8_t bytes[PEEK_MAX];
	uint8_t *place;
	size_t count;

	if (!behind)
		return "a place and bytes are wanted";
	*behind = '\0';
	count = script_text_hex(behind + 1, bytes, sizeof bytes);
	place = count ? memory_at(rig->memory, text, count) : NULL;
	if (!place)
		return count ? "no such place in RAM" : "hexadecimal digits are wanted";
	memcpy(place, bytes, count);
	return NULL;
}

static const char *peek(struct rig *rig, char *text)
{
	char *behind = strchr(text, ' ');
	const uint8_t *place;
	long count;

	if (!behind || !script_text_whole(behind + 1, 1, PEEK_MAX, &count))
		return "a place and a length are wanted";
	*behind = '\0';
	place = memory_at(rig->memory, text, (size_t)count);
	if (!place)
		return "no such place in RAM";
	events_tell_bytes("ram", place, (size_t)count);
	return NULL;
}

static const char *stack(struct rig *rig, char *text)
{
	const int depth = memory_stack(rig->memory);

	(void)text;
	if (depth < 0)
		return "the symbol _end is not known (--symbols)";
	events_tell("stack %d", depth);
	return NULL;
}

static const char *status(struct rig *rig, char *text)
{
	const struct socket_traffic *traffic;

	(void)text;
	events_tell("status power %s", board_powered(rig->board) ? "on" : "off");
	events_tell("status core %.4f", (double)pace_share(&rig->pace) / 1e6);
	events_tell("status overrun %lu", bus_spi(rig->bus)->lost);
	for (unsigned i = 0; (traffic = socket_traffic(wizfi250_socket(rig->module), i)) != NULL; i++) {
		char closed[32] = "open";

		if (traffic->closed)
			snprintf(closed, sizeof closed, "%.6f", (double)traffic->closed / 1e6);
		events_tell("status connection %u %s opened %.6f closed %s sent %llu received %llu gap %.6f", i, traffic->peer,
		            (double)traffic->opened / 1e6, closed, (unsigned long long)traffic->sent,
		            (unsigned long long)traffic->received, (double)traffic->longest_gap / 1e6);
	}
	return NULL;
}

static const char *run(struct rig *rig, char *text)
{
	char *end;
	const double seconds = strtod(text, &end);

	if (!rig->pace.is_virtual)
		return "only with --virtual";
	if (end == text || *end || !(seconds > 0) || seconds > 1e8)
		return WANTED_NUMBER;
	socket_longest_gap(wizfi250_socket(rig->module), board_us(rig->board));
	rig->run_until = board_avr(rig->board)->cycle + (uint64_t)(seconds * BOARD_HZ);
	pace_resume(&rig->pace, board_us(rig->board));
	return NULL;
}

static const char *quit(struct rig *rig, char *text)
{
	(void)text;
	rig->quit = true;
	return NULL;
}

/* A name of two words stands before one that is its first. */
static const struct command {
	const char *name;
	handler *handle;
} commands[] = {
	{"type", type},
	{"temperature", temperature},
	{"humidity", humidity},
	{"light", light},
	{"flame", flame},
	{"dht", dht},
	{"wifi", wifi},
	{"dhcp", dhcp},
	{"dns", dns},
	{"tcp drop", tcp_drop},
	{"tcp stall", tcp_stall},
	{"tcp garbage", tcp_garbage},
	{"module reset", module_reset},
	{"module freeze", module_freeze},
	{"wire garbage", wire_garbage},
	{"wire pause", wire_pause},
	{"power cut", power_cut},
	{"power brownout", power_brownout},
	{"power", power},
	{"reset", reset},
	{"hang", hang},
	{"eeprom xor", eeprom_xor},
	{"eeprom dump", eeprom_dump},
	{"poke", poke},
	{"peek", peek},
	{"stack", stack},
	{"status", status},
	{"run", run},
	{"quit", quit},
};

void script_line(struct rig *rig, char *line)
{
	char told[256];
	const char *wrong = "no such command";

	snprintf(told, sizeof told, "%s", line);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const size_t length = strlen(commands[i].name);

		if (strncmp(line, commands[i].name, length) != 0 || (line[length] && line[length] != ' '))
			continue;
		wrong = commands[i].handle(rig, line + length + (line[length] == ' '));
		break;
	}
	if (wrong)
		events_tell("error %s: %s", told, wrong);
	else
		events_tell("input %s", told);
}
