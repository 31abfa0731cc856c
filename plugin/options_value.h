/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options_value: how the text of an option becomes the value of a field, one function a kind of value. Private to options*.c.
 */
#ifndef HEARTH_OPTIONS_VALUE_H
#define HEARTH_OPTIONS_VALUE_H

#include "options.h"

/* An option: a row of the table in options.c. */
struct setting {
	const char *name;
	size_t field; /* offset in struct options */
	/* Reads a value (trimmed, not empty) into the field. NULL, or what to tell the person: often setting->wanted. */
	const char *(*read)(const struct setting *setting, struct slice value, void *field);
	const char *wanted;
	unsigned long long min, max;           /* of a number, or of a path's bytes */
	bool (*word_valid)(struct slice word); /* of a list */
	bool near_secret;     /* a person may put a password there by mistake: a refused value is not shown */
	bool repeats;         /* may be given again, its lines add up */
	const char *standard; /* the default; "": none needed; NULL: see below */
	char *(*make_standard)(const struct options *so); /* the default from the rows above; the caller frees it */
};

/* What may be the problem with any value, and the one that must not be shown again. */
extern const char option_no_memory[];
extern const char option_password_in_store[];

/* Read a value (trimmed, not empty) into the field, as setting.read says. */
const char *option_read_number(const struct setting *setting, struct slice value, void *field);
const char *option_read_size(const struct setting *setting, struct slice value, void *field);
const char *option_read_path(const struct setting *setting, struct slice value, void *field);
const char *option_read_store(const struct setting *setting, struct slice value, void *field);
const char *option_read_user(const struct setting *setting, struct slice value, void *field);
const char *option_read_node(const struct setting *setting, struct slice value, void *field);
const char *option_read_words(const struct setting *setting, struct slice value, void *field);
const char *option_read_subscribe(const struct setting *setting, struct slice value, void *field);

/* Can it be a node's name? */
bool option_node_valid(struct slice node);

#endif
