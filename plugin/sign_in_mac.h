/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_mac: keyed digests (HMAC-SHA256, cut to 128 bits) of some pieces of text, each with its length, so that no
 * two lists of pieces have the same bytes. Without the key nobody can tell which digests fall together, nor test a
 * password on one.
 */
#ifndef HEARTH_SIGN_IN_MAC_H
#define HEARTH_SIGN_IN_MAC_H

#include "topic.h"

struct sign_in_mac;

struct digest {
	uint64_t halves[2];
};

struct sign_in_mac *sign_in_mac_new(const uint8_t key[static 32]); /* NULL: no memory */
void sign_in_mac_free(struct sign_in_mac *mac);                    /* NULL is allowed */

/* False: OpenSSL refused. */
bool sign_in_mac_of(struct sign_in_mac *mac, const struct slice *pieces, size_t count, struct digest *out);

bool digest_equal(struct digest a, struct digest b);

#endif
