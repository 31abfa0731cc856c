/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wizfi250_internal: what the two halves of the module's model share: wizfi250.c, its life and what it says, and
 * wizfi250_command.c, what it understands.
 */
#ifndef SIM_WIZFI250_INTERNAL_H
#define SIM_WIZFI250_INTERNAL_H

#include "bytes.h"
#include "wizfi250.h"

#define MILLISECONDS     ((uint64_t)1000)
#define LINE_BYTES       256
#define SEND_MAX         2048
#define NAMES_MAX        8
#define ANSWER_AFTER     (2 * MILLISECONDS)
#define CONNECT_AFTER    (5 * MILLISECONDS)
#define STARTING_TAKES   (1000 * MILLISECONDS)
#define PIN_RESET_AFTER  (10 * MILLISECONDS)
#define RESTARTING_TAKES (50 * MILLISECONDS)

enum wizfi250_life {
	LIFE_OFF,
	LIFE_STARTING,
	LIFE_RUNNING,
	LIFE_RESTARTING, /* its last words can still be fetched */
	LIFE_FROZEN
};

struct wizfi250_name {
	char name[64], ip[16];
};

struct wizfi250 {
	enum wizfi250_life life;
	bool pin_low, trace;
	uint64_t until; /* the end of LIFE_STARTING and LIFE_RESTARTING */
	uint64_t pin_since, paused_until;

	/* The world around it. */
	const char *ssid, *key;
	struct wizfi250_name names[NAMES_MAX];
	unsigned name_count;
	enum wizfi250_dhcp dhcp;
	bool access_point;

	/* What it was told. */
	bool echo, joined, fixed_address, addressless;
	char wanted_ssid[33], wanted_key[64];

	/* The command that is being typed. */
	bool too_long;
	char line[LINE_BYTES + 1];
	size_t length;

	/* The command that runs: `finish` is called at `finish_at`. */
	void (*finish)(struct wizfi250 *module, uint64_t now);
	uint64_t finish_at;
	const char *answer;
	char argument[64];
	uint16_t port;

	/* The connection. `opening`: AT+SCON was answered, the outcome was not told. */
	bool opening;
	enum socket_state told; /* to the host */
	uint64_t opening_since;
	struct socket *socket;

	/* AT+SSEND: `data_wanted` bytes are still to come behind the `data_length` in `data`. */
	size_t data_wanted, data_length;
	uint8_t data[SEND_MAX];

	struct bytes out;
	uint8_t out_array[16384];
};

/* Says something to the host. */
void wizfi250_say(struct wizfi250 *module, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A whole line, without its CR. */
void wizfi250_command(struct wizfi250 *module, char *line, uint64_t now);
/* All bytes of an AT+SSEND are there. */
void wizfi250_send(struct wizfi250 *module, uint64_t now);
/* Leaves the network: connections vanish. Tells nobody. */
void wizfi250_leave(struct wizfi250 *module, uint64_t now);
/* Is it the network that it was told to join? */
bool wizfi250_finds_network(const struct wizfi250 *module);

#endif
