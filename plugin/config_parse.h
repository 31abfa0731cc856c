/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_parse: what the files of the config module share; private to them.
 *
 *   config.c            the document: parse, merge, compile
 *   config_rule.c       "rules": rules and their actions
 *   config_condition.c  "when" of a rule
 *   config_topic.c      topics and targets in rules, placeholders
 *   config_read.c       one JSON item → one checked field; objects by a table of keys; memory
 *   config_error.c      where an error is and what stands there
 *
 * An object is described by a table with one row a key: adding a key is adding a row. Every function that returns bool
 * has set the error when it returns false, and the first error ends the work.
 */
#ifndef HEARTH_CONFIG_PARSE_H
#define HEARTH_CONFIG_PARSE_H

#include "config.h"
#include "json.h"

#include <cjson/cJSON.h>
#include <float.h>

/* A JSON item and where it stands. Lives on the stack and points up to its parent: a path costs nothing until needed. */
struct config_node {
	const struct config_node *up; /* NULL: the document */
	const char *key;              /* NULL: the document, or an element of an array */
	int index;                    /* in the array */
	const cJSON *item;            /* NULL: missing */
};

/* One compilation. */
struct config_reader {
	const struct topic *sensor;
	struct config_error *error;
	struct config_block *blocks; /* all memory handed out so far; newest first */
	struct rule *rule;           /* the one being read: its operands add their inputs to it */
};

struct config_key;
typedef bool config_read(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                         void *field);

/* A key of an object. `read` gets the field at `offset` of the struct that the object is read into. */
struct config_key {
	const char *name;
	config_read *read;
	size_t offset;
	double least, most; /* of a number, or most bytes of a text */
	int detail;         /* what `read` needs besides */
	bool required;
	const char *wanted; /* for a person: what may stand here */
};

/* The bounds of a key that takes any number. */
#define CONFIG_ANY_NUMBER .least = -DBL_MAX, .most = DBL_MAX

/* An object: its keys, and what to say if something else stands there. */
struct config_shape {
	const struct config_key *keys;
	size_t count;
	const char *wanted;
};

#define CONFIG_KEYS(table) .keys = (table), .count = sizeof(table) / sizeof(table)[0]

/* ---- config_error.c ---- */

/* Sets the error and returns false. `found` NULL: a short rendering of the item. */
bool config_refuse(struct config_error *error, const struct config_node *node, const char *found, const char *wanted);
bool config_refuse_memory(struct config_error *error);
/* The same for byte `offset` of a text that is no acceptable JSON. */
bool config_refuse_byte(struct config_error *error, struct slice text, size_t offset, const char *wanted);
/* The same for an unknown key: names the known ones, and the nearest if it may be a slip of the pen. */
bool config_refuse_key(struct config_error *error, const struct config_node *node, const struct config_shape *shape);

/* ---- config_read.c ---- */

/* The member of an object; its item is NULL if it is missing. */
struct config_node config_member(const struct config_node *up, const char *key);

/* Zeroed memory that lives as long as the config. NULL, with the error set, if there is none. */
void *config_alloc(struct config_reader *reader, size_t count, size_t size);
/* A NUL-terminated copy. */
char *config_copy(struct config_reader *reader, struct slice text);
void config_blocks_free(struct config_block *blocks);

bool config_read_object(struct config_reader *reader, const struct config_node *node, const struct config_shape *shape,
                        void *into);

/* An array of least … most items. */
struct config_list {
	size_t least, most;
	size_t size;       /* of one item in memory */
	config_read *read; /* gets the item's place as its field */
};
/* Reads one into new memory: an array of *count structs, zeroed before `read` fills each in turn. NULL on an error. */
void *config_read_list(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                       const struct config_list *list, size_t *count);

/* Handlers for tables of keys; `field` is of the type named. */
config_read config_read_number;  /* double from least to most */
config_read config_read_pair;    /* double[2], each from least to most */
config_read config_read_whole;   /* int from least to most, a whole number */
config_read config_read_seconds; /* int64_t: seconds from least to most, × detail; more than 0 stays so */
config_read config_read_bool;    /* bool */
config_read config_read_text;    /* char *: 1 … most bytes */
config_read config_read_word;    /* struct slice: 1 … CONFIG_WORD_MAX bytes, without the white space around them */

/* ---- config_topic.c ---- */

config_read config_read_target; /* char *: "location/device/actuator", placeholders replaced */
config_read config_read_topic;  /* char *: a four-level topic name, "/value" added, placeholders replaced */

/* ---- config_condition.c ---- */

/* A number or a topic with plus and times; `word`: or a text. Topics are added to reader->rule's inputs. */
bool config_read_operand(struct config_reader *reader, const struct config_node *node, bool word, struct operand *out);
config_read config_read_when; /* struct rule: when and has_condition */

/* ---- config_rule.c ---- */

config_read config_read_rules; /* struct config: rules and rule_count */

#endif
