/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_digests: which sign-ins were verified and which refused, by digest. Of fixed size: what is remembered longest
 * makes room. The verified and the refused have tables apart, so that a flood of wrong passwords displaces nobody.
 */
#ifndef HEARTH_SIGN_IN_DIGESTS_H
#define HEARTH_SIGN_IN_DIGESTS_H

#include "sign_in_mac.h"

#define DIGESTS_YES_MAX 131072
#define DIGESTS_NO_MAX  4096

struct sign_in_digests;

enum digest_memory { DIGEST_UNKNOWN, DIGEST_YES, DIGEST_NO };

struct sign_in_digests *sign_in_digests_new(void); /* NULL: no memory */
void sign_in_digests_free(struct sign_in_digests *digests);

enum digest_memory sign_in_digests_find(const struct sign_in_digests *digests, struct digest digest);
void sign_in_digests_remember(struct sign_in_digests *digests, struct digest digest, bool yes);

#endif
