/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * json: is this text JSON? (RFC 8259)
 *
 * cJSON recurses as deep as a text is nested, ends a string at \u0000, reads broken escapes as NUL, takes 01, 1. and raw
 * control characters, and does not tell a syntax error from lack of memory. So a text from outside is checked here first.
 */
#ifndef HEARTH_JSON_H
#define HEARTH_JSON_H

#include "topic.h"

#define JSON_DEPTH_MAX 16 /* nested arrays and objects */

struct json_fault {
	size_t byte;        /* offset, from 0; the text's length: at its end */
	const char *wanted; /* what should stand there; static text */
};

/*
 * True if the text is one JSON value by RFC 8259's grammar, nested at most JSON_DEPTH_MAX deep, without \u0000 and with
 * numbers of at most 63 characters, which all versions of cJSON read whole; else *fault says where it is not. What passes,
 * cJSON refuses only if there is no memory. Whether it is valid UTF-8 is not looked at.
 */
bool json_check(struct slice text, struct json_fault *fault);

#endif
