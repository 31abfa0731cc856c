/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * document: what Hearth keeps for itself and never publishes: a name and a body, in journal and state file.
 *
 *   account/NAME      an account's JSON (account.h)
 *   session/CLIENTID  {"username":…}: whose a stored session is
 */
#ifndef HEARTH_DOCUMENT_H
#define HEARTH_DOCUMENT_H

#include "topic.h"

struct document {
	struct slice name; /* never empty */
	struct slice body; /* empty: removed */
};

/* What it is called with is valid until it returns. */
typedef void (*document_callback)(void *context, const struct document *document);

#define DOCUMENT_ACCOUNT "account/"
#define DOCUMENT_SESSION "session/"

#endif
