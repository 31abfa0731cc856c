/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wire: the WizFi250's bytes on SPI. Each exchange moves a byte both ways, and a side with nothing to say sends a null. Pure.
 *
 *   F0 null    F1 00 a literal F0    F1 01 a literal F1    F1 02 sync, answered with the same    F1 03 XON    F1 04 XOFF
 *
 * (The vendor's own library sends F0 and F1 unescaped, which loses them.)
 */
#ifndef FIRMWARE_WIRE_H
#define FIRMWARE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#define WIRE_NULL   0xF0
#define WIRE_ESCAPE 0xF1
#define WIRE_SYNC   0x02
#define WIRE_XON    0x03
#define WIRE_XOFF   0x04

enum wire_event { WIRE_NOTHING, WIRE_BYTE, WIRE_SYNC_WANTED };

struct wire {
	bool escaped;
	bool paused; /* the module wants nothing sent until XON */
};

/* A raw byte came: WIRE_BYTE and *byte, if it completes one. */
enum wire_event wire_feed(struct wire *wire, uint8_t raw, uint8_t *byte);

/* The byte as it goes out; true: WIRE_ESCAPE goes out before it. */
bool wire_escape(uint8_t *byte);

#endif
