/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config: a retained config document → compiled limits and rules, or an error with its place.
 *
 * schema/config.schema.json says exactly what is accepted here; test/unit/config_documents.json holds the table that both
 * must agree on. A key that is not known is refused, so that a misspelt threshold is never silently ignored.
 *
 * Ownership: everything inside a struct config belongs to it and goes with config_free.
 */
#ifndef HEARTH_CONFIG_H
#define HEARTH_CONFIG_H

#include "topic.h"
#include "value.h"

struct cJSON;

/* Bounds of one document. */
#define CONFIG_PAYLOAD_MAX  131072 /* bytes of JSON */
#define CONFIG_RULES_MAX    1024   /* rules in a document */
#define CONFIG_ACTIONS_MAX  64     /* actions in one then, else or always */
#define CONFIG_NAME_MAX     64     /* bytes of a rule's name */
#define CONFIG_WORD_MAX     255    /* bytes of a word to compare with or to send */
#define CONFIG_UNIT_MAX     32     /* bytes */
#define CONFIG_SECONDS_MAX  31536000.0
#define CONFIG_PRIORITY_MAX 1000 /* −1000 … 1000 */

enum condition_op {
	CONDITION_ABOVE,      /* value >  operand */
	CONDITION_BELOW,      /* value <  operand */
	CONDITION_AT_LEAST,   /* value >= operand */
	CONDITION_AT_MOST,    /* value <= operand */
	CONDITION_EQUALS,     /* a number or a word */
	CONDITION_NOT_EQUALS, /* a number or a word */
	CONDITION_OUTSIDE     /* value < operand[0] or value > operand[1] */
};

/* What a value is compared with: a constant, or another series' latest value × times + plus. */
struct operand {
	struct value constant; /* if input < 0 */
	int input;             /* index into rule.inputs, or −1: the constant */
	double plus;           /* default 0 */
	double times;          /* default 1 */
};

struct condition {
	enum condition_op op;
	struct operand operand[2]; /* [1] only for CONDITION_OUTSIDE */
	double hysteresis;         /* >= 0, in the value's unit; 0 for equals and not_equals */
	int64_t for_ms;            /* the condition must hold for so long before `then`; 0: at once */
};

/* Linear interpolation of the value between two ends, clamped to them, rounded half away from zero to `digits`. */
struct scale {
	double from[2]; /* two different numbers; a falling range is legal */
	double to[2];
	int digits; /* 0 … 6, default 0 */
};

struct action_to {
	char *target;       /* "location/device/actuator", placeholders replaced */
	struct value value; /* what to send; unless has_scale */
	bool has_scale;     /* only in `always` */
	struct scale scale;
};

struct action_list {
	size_t count;
	struct action_to *items;
};

struct rule {
	char *name;
	uint64_t fingerprint; /* of the rule's JSON and its place: equal fingerprints mean the same rule */
	int priority;
	bool obeys_auto;    /* "auto": false makes it act while the automation switch is off */
	bool has_condition; /* false: only `always` */
	struct condition when;
	struct action_list then_do, else_do, always_do;
	/* Topic names (four levels) of the series it reads besides its own; operand.input counts from here. */
	size_t input_count;
	char **inputs;
};

struct config {
	char *unit;                /* NULL: any */
	double min, max;           /* −HUGE_VAL and HUGE_VAL: unlimited */
	int64_t stale_after_ms;    /* 0: never stale */
	double deadband;           /* store a change of at least so much; 0: store every reading */
	int64_t at_least_every_us; /* but store one at least so often; 0: no such bound */
	size_t rule_count;
	struct rule *rules;
};

/* Where and why a document was refused. All three are NUL-terminated UTF-8, cut to fit. */
struct config_error {
	char path[160];   /* JSON path, such as $.rules[0].when.above */
	char found[96];   /* what stands there */
	char wanted[192]; /* what should stand there */
};

/*
 * Parses one document's text. Returns the JSON object (the caller frees it with cJSON_Delete), or NULL with *error
 * set: not JSON (its byte is named), not an object, a key twice in one object, too long, too deep, not UTF-8.
 */
struct cJSON *config_parse(struct slice payload, struct config_error *error);

/*
 * The documents of the house, the location and the device merged key by key, the later winning; any may be NULL.
 * Returns a new object, NULL if there is no memory or all are NULL.
 */
struct cJSON *config_merge(const struct cJSON *house, const struct cJSON *location, const struct cJSON *device);

/*
 * Compiles a (merged) document for one sensor: {location} and {device} are replaced by its levels. Returns NULL with
 * *error set if the document is not what the schema describes. For a document of `all`, pass "all" for the level.
 */
struct config *config_compile(const struct cJSON *document, const struct topic *sensor, struct config_error *error);

void config_free(struct config *config); /* NULL is allowed */

/* The number that a scale makes of a value. */
double scale_apply(const struct scale *scale, double number);

#endif
