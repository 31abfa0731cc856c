/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * modem: what the rest of the firmware knows of a WiFi module: five functions, and why something went wrong. The driver's file
 * defines them; another module is another file to link. No function waits: `poll` moves a dialogue on and says where it stands.
 *
 *            start                      open                 send
 *   (any) ──────────→ JOINING → JOINED ──────→ OPENING → OPEN ──────→ SENDING → OPEN
 *                        │         ↑               │       │             │
 *                        │         └───────────────┴───────┴─────────────┘  the peer closed, it could not be reached, `close`
 *                        ↓
 *                     FAILED, from everywhere: the network is lost or was not found, the module does not answer. Only `start`.
 */
#ifndef FIRMWARE_MODEM_H
#define FIRMWARE_MODEM_H

#include "text.h"

enum modem_state { MODEM_JOINING, MODEM_JOINED, MODEM_OPENING, MODEM_OPEN, MODEM_SENDING, MODEM_FAILED };

/* Why it is FAILED, or JOINED after OPENING, OPEN or SENDING. */
enum modem_trouble {
	MODEM_FINE,
	MODEM_FAULT,      /* of the module: no answer, an error for an answer, it started by itself */
	MODEM_NO_NETWORK, /* the access point was not found, or did not take the key */
	MODEM_NO_ADDRESS, /* joined, but nobody gave an address */
	MODEM_LEFT,       /* the network went away */
	MODEM_NO_NAME,    /* the name has no address */
	MODEM_NO_PEER     /* no connection, or it was closed */
};

struct modem_network {
	const char *ssid;
	const char *key; /* empty: an open network */
};

/*
 * Resets the module by its pin and joins the network, whose strings must outlive the joining. NULL: only looks which networks there
 * are, each line going to modem_heard, and is then FAILED with MODEM_FINE. Neither name nor key may hold a control character, and
 * the name no comma and no quotation mark at its beginning: the module could not be told of it.
 */
void modem_start(const struct modem_network *network);

/*
 * To be called in every pass of the main loop, with the low 16 bits of the milliseconds. Received bytes go to modem_received from
 * within. The functions without a time are meant to be called right behind it.
 */
enum modem_state modem_poll(uint16_t now_ms);

/* JOINED only: a TCP connection to an address or a name, which must outlive the opening and is as plain as the network's. */
void modem_open(const char *host, uint16_t port);

/* OPEN only: sends all of a source, which writes something, and must stay the same as long as the state is SENDING. */
void modem_send(const struct text_source *source);

/*
 * Ends the connection: OPENING until that is done, then JOINED. What cannot be ended in good order, for a command is under way, is
 * FAILED at once.
 */
void modem_close(void);

/* Why; to be asked only when something went wrong. */
enum modem_trouble modem_trouble(void);

/* Supplied by whoever drives the modem. A byte of the connection came; must not call the modem. */
void modem_received(uint8_t byte);
/* A line about a network that was heard. */
void modem_heard(const char *line);

/* A word for people, in program memory, such as "no address (DHCP)". */
const char *modem_trouble_text(enum modem_trouble trouble);

#endif
