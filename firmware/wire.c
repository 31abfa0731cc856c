/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See wire.h.
 *
 * A null says nothing, so it may also stand between an escape and its second byte. An escape that is followed by another
 * begins anew, and one that is followed by anything unknown is dropped together with it: so noise costs the bytes it hit
 * and at most one more.
 */
#include "wire.h"

enum wire_event wire_feed(struct wire *wire, uint8_t raw, uint8_t *byte)
{
	if (raw == WIRE_NULL)
		return WIRE_NOTHING;
	if (raw == WIRE_ESCAPE) {
		wire->escaped = true;
		return WIRE_NOTHING;
	}
	if (!wire->escaped) {
		*byte = raw;
		return WIRE_BYTE;
	}
	wire->escaped = false;
	if (raw <= (WIRE_ESCAPE & 0x0F)) {
		*byte = (uint8_t)(WIRE_NULL | raw);
		return WIRE_BYTE;
	}
	if (raw == WIRE_SYNC)
		return WIRE_SYNC_WANTED;
	if (raw == WIRE_XOFF || raw == WIRE_XON)
		wire->paused = raw == WIRE_XOFF;
	return WIRE_NOTHING;
}

bool wire_escape(uint8_t *byte)
{
	if (*byte != WIRE_NULL && *byte != WIRE_ESCAPE)
		return false;
	*byte &= 0x0F;
	return true;
}
