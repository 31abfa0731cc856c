/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outbox: readings on their way to the broker, kept until they are acknowledged, however long the link is away. Pure.
 *
 * A ring of the newest OUTBOX_MAX readings. Each gets the next number of this start (`seq`); together with the number of the start
 * (`boot`) it names the reading, so one that is sent again is stored once; it wraps after 65,536, long after the broker has forgotten. Readings go out in batches of one sensor; two
 * batches may be under way at a time, so that a fire never waits for the acknowledgement of something else.
 *
 * The device has no clock, so it says how old a reading is; the broker takes what is older than the latest for history and acts on
 * none of it. A reading taken while the one before was under way is therefore said to be no older than that one's
 * acknowledgement: the broker counts from when it got that one, and must not take this for the older of the two.
 */
#ifndef FIRMWARE_OUTBOX_H
#define FIRMWARE_OUTBOX_H

#include "sensors.h"

#define OUTBOX_MAX   64
#define OUTBOX_BATCH 8 /* readings in one message: at most 400 bytes, 50 ms on the wire to the module */

/* Batches of fires, and of all else. */
enum outbox_lane { OUTBOX_FIRE, OUTBOX_OTHER, OUTBOX_LANES };

/* Readings of one sensor that go out together. */
struct outbox_batch {
	uint32_t now_ms; /* what their ages are counted from */
	uint16_t first;  /* seq of the oldest */
	uint8_t
		span; /* their numbers are below first + span; those of other sensors between them do not belong here. 0: no batch */
	uint8_t count;  /* of readings */
	uint8_t sensor; /* enum sensor */
};

void outbox_init(uint32_t boot);

/* Keeps a reading; if there is no room the oldest gives way. False: not now, for a batch is being written that may have the oldest. */
bool outbox_add(enum sensor sensor, int16_t value, uint32_t now_ms);

/*
 * The next batch of a lane, which is then under way until it is acknowledged, or outbox_rewind; with more than one sensor that of
 * the oldest reading. NULL: none, or one is under way.
 */
const struct outbox_batch *outbox_next(enum outbox_lane lane, uint32_t now_ms);

/* Writes a batch under way as the payload of a `value`; the same each time until outbox_written. */
void outbox_write(struct sink *sink, const struct outbox_batch *batch);
/* It is written, or will not be: readings may give way again. */
void outbox_written(void);

/* The broker has the batch that is under way in this lane. */
void outbox_acknowledged(enum outbox_lane lane, uint32_t now_ms);

/* The connection is gone: what was under way will go out again. */
void outbox_rewind(void);

/* Readings that are kept (with those acknowledged that are newer than one that is not); those that had to give way since the start. */
uint8_t outbox_kept(void);
uint16_t outbox_lost(void);

#endif
