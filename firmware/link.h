/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * link: from no network to a signed-in, subscribed MQTT session, and back there after whatever ended it. Pure over modem.h.
 *
 *   WAITING → JOINING → OPENING → SIGNING_IN → SUBSCRIBING → ONLINE
 *      ↑__________│_________│___________│____________│_________│      each failure waits twice as long, 1 … 16 s, ± a quarter
 *
 * A session is live as long as the broker answers: what is not acknowledged within LINK_ANSWER_MS, a ping included, ends it.
 * A module that does not answer, and one whose connections fail five times in a row, is reset by its pin.
 *
 * Whose session it is (link_next) is asked what to publish whenever something can be sent, so nothing is queued here.
 *
 * Commands are subscribed at QoS 0: with a clean session on one connection an acknowledgement would add nothing, for what is under way when
 * the connection ends is stale; the broker says the last wanted state again when the device comes online.
 */
#ifndef FIRMWARE_LINK_H
#define FIRMWARE_LINK_H

#include "modem.h"
#include "mqtt.h"
#include "settings.h"

#define LINK_ANSWER_MS 15000

enum link_state {
	LINK_WAITING,
	LINK_SCANNING,
	LINK_JOINING,
	LINK_OPENING,
	LINK_SIGNING_IN,
	LINK_SUBSCRIBING,
	LINK_ONLINE
};

/*
 * Supplied by whose session it is (device.h); none of them may call the link.
 */
/* The session begins: the SUBACK has come. */
void link_online(void);
/* It has ended; what was sent and not acknowledged may not have arrived. */
void link_offline(void);
/* What to publish next; false: nothing. Its sources must stay the same until link_sent. Packet ids: 2 … 65535. */
bool link_next(struct mqtt_publish *publish);
/* The last link_next is on its way. */
void link_sent(void);
/* The broker has what had this packet id. */
void link_acknowledged(uint16_t packet_id);
/* A PUBLISH came. */
void link_received(const struct mqtt_in *in);

/* `settings` must outlive the link. `seed`: for the jitter. */
void link_init(const struct settings *settings, uint16_t seed);

/* To be called in every pass of the main loop. */
void link_poll(uint32_t now_ms);

/* Ends the session and does not look at the settings until link_restart. */
void link_stop(void);
/* Begins anew from the module's reset. */
void link_restart(void);
/* The same, but first looks once which networks there are: modem_heard for each, then link_scanned. */
void link_scan(void);
/* Supplied by the caller: that look is over. MODEM_FINE: as it should. */
void link_scanned(enum modem_trouble trouble);

enum link_state link_state(void);
/* Writes "link: " and the state, and if it is not online on a second line "trouble: " and why the last attempt failed. */
void link_write_status(struct sink *sink);

/* Writes LOCATION/DEVICE: the user name, the client id and the beginning of every topic. */
void link_write_user(struct sink *sink, const struct settings *settings);

#endif
