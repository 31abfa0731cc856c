/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_mac: see sign_in_mac.h. One context, keyed once and begun anew for each digest: that costs half of a new one.
 */
#include "sign_in_mac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#define SHA256_BYTES 32

struct sign_in_mac {
	EVP_MAC_CTX *context;
};

struct sign_in_mac *sign_in_mac_new(const uint8_t key[static 32])
{
	char algorithm[] = "SHA256";
	const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, algorithm, 0),
	                                 OSSL_PARAM_construct_end()};
	struct sign_in_mac *mac = calloc(1, sizeof *mac);
	if (!mac)
		return NULL;

	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (hmac)
		mac->context = EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac); /* the context has its own reference */
	if (mac->context && EVP_MAC_init(mac->context, key, 32, parameters) == 1)
		return mac;
	sign_in_mac_free(mac);
	return NULL;
}

void sign_in_mac_free(struct sign_in_mac *mac)
{
	if (!mac)
		return;
	EVP_MAC_CTX_free(mac->context);
	free(mac);
}

bool sign_in_mac_of(struct sign_in_mac *mac, const struct slice *pieces, size_t count, struct digest *out)
{
	uint8_t bytes[SHA256_BYTES];
	size_t len;

	if (EVP_MAC_init(mac->context, NULL, 0, NULL) != 1)
		return false;
	for (size_t i = 0; i < count; i++) {
		const uint64_t piece_len = pieces[i].len;
		if (EVP_MAC_update(mac->context, (const uint8_t *)&piece_len, sizeof piece_len) != 1)
			return false;
		if (piece_len > 0 && EVP_MAC_update(mac->context, (const uint8_t *)pieces[i].ptr, piece_len) != 1)
			return false;
	}
	if (EVP_MAC_final(mac->context, bytes, &len, sizeof bytes) != 1)
		return false;
	memcpy(out, bytes, sizeof *out);
	return true;
}

bool digest_equal(struct digest a, struct digest b)
{
	return a.halves[0] == b.halves[0] && a.halves[1] == b.halves[1];
}
