/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_condition: "when" of a rule → struct condition, and the topics that it compares with.
 *
 * A new comparison is a row of when_keys, and a reader if it takes another kind of operand.
 */
#include "config_parse.h"

#include <float.h>
#include <stddef.h>
#include <string.h>

#define WANTED_REFERENCE "{\"topic\": \"location/device/sensor\", \"plus\": 0, \"times\": 1}"

/* ---- what a value is compared with ---- */

/* The place of a name in the rule's inputs; it is added if it is new. False if there is no memory. */
static bool input_index(struct config_reader *reader, char *name, int *out)
{
	struct rule *rule = reader->rule;
	for (size_t i = 0; i < rule->input_count; i++) {
		if (strcmp(rule->inputs[i], name) == 0) {
			*out = (int)i;
			return true;
		}
	}
	char **inputs = config_alloc(reader, rule->input_count + 1, sizeof *inputs);
	if (inputs == NULL)
		return false;
	if (rule->input_count > 0)
		memcpy(inputs, rule->inputs, rule->input_count * sizeof *inputs);
	inputs[rule->input_count] = name;
	*out = (int)rule->input_count++;
	rule->inputs = inputs;
	return true;
}

static bool read_input(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                       void *field)
{
	char *name = NULL;
	return config_read_topic(reader, node, key, &name) && input_index(reader, name, field);
}

static const struct config_key operand_keys[] = {
	{.name = "topic",
     .read = read_input,
     .offset = offsetof(struct operand, input),
     .required = true,
     .wanted = "\"location/device/sensor\", or that with /value, /set, /state or /status behind it"},
	{.name = "plus",
     .read = config_read_number,
     .offset = offsetof(struct operand, plus),
     CONFIG_ANY_NUMBER,
     .wanted = "a number"},
	{.name = "times",
     .read = config_read_number,
     .offset = offsetof(struct operand, times),
     CONFIG_ANY_NUMBER,
     .wanted = "a number"},
};
static const struct config_shape operand_shape = {CONFIG_KEYS(operand_keys), .wanted = WANTED_REFERENCE};

bool config_read_operand(struct config_reader *reader, const struct config_node *node, bool word, struct operand *out)
{
	const char *wanted =
		word ? "a number, a word of 1 to 255 bytes or " WANTED_REFERENCE : "a number or " WANTED_REFERENCE;
	const struct config_key constant = {CONFIG_ANY_NUMBER, .wanted = wanted};

	*out = (struct operand){.input = -1, .times = 1};
	if (cJSON_IsNumber(node->item)) {
		double number = 0;
		if (!config_read_number(reader, node, &constant, &number))
			return false;
		out->constant = value_of_number(number);
		return true;
	}
	if (word && cJSON_IsString(node->item)) {
		struct slice text = {0};
		if (!config_read_word(reader, node, &constant, &text))
			return false;
		out->constant = value_of_text(text);
		return true;
	}
	if (cJSON_IsObject(node->item))
		return config_read_object(reader, node, &operand_shape, out);
	return config_refuse(reader->error, node, NULL, wanted);
}

/* ---- conditions ---- */

struct when {
	struct condition condition;
	bool has_op;
};

/* Notes which comparison it is. False if there is one already. */
static bool take_op(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                    struct when *when)
{
	if (when->has_op)
		return config_refuse(reader->error, node, "a second comparison", "one comparison in a condition");
	when->condition.op = (enum condition_op)key->detail;
	when->has_op = true;
	return true;
}

static bool read_against_number(struct config_reader *reader, const struct config_node *node,
                                const struct config_key *key, void *field)
{
	struct when *when = field;
	return take_op(reader, node, key, when) && config_read_operand(reader, node, false, &when->condition.operand[0]);
}

static bool read_against_word(struct config_reader *reader, const struct config_node *node,
                              const struct config_key *key, void *field)
{
	struct when *when = field;
	return take_op(reader, node, key, when) && config_read_operand(reader, node, true, &when->condition.operand[0]);
}

static bool read_against_range(struct config_reader *reader, const struct config_node *node,
                               const struct config_key *key, void *field)
{
	static const char wanted[] = "[a, b], each a number or a topic; of two numbers the first is the lesser";
	struct when *when = field;
	struct operand *end = when->condition.operand;

	if (!take_op(reader, node, key, when))
		return false;
	if (!cJSON_IsArray(node->item) || cJSON_GetArraySize(node->item) != 2)
		return config_refuse(reader->error, node, NULL, wanted);
	struct config_node first = {.up = node, .index = 0, .item = node->item->child};
	struct config_node second = {.up = node, .index = 1, .item = node->item->child->next};
	if (!config_read_operand(reader, &first, false, &end[0]) || !config_read_operand(reader, &second, false, &end[1]))
		return false;
	if (end[0].input < 0 && end[1].input < 0 && end[0].constant.number >= end[1].constant.number)
		return config_refuse(reader->error, node, NULL, wanted);
	return true;
}

static const struct config_key when_keys[] = {
	{.name = "above", .read = read_against_number, .detail = CONDITION_ABOVE},
	{.name = "below", .read = read_against_number, .detail = CONDITION_BELOW},
	{.name = "at_least", .read = read_against_number, .detail = CONDITION_AT_LEAST},
	{.name = "at_most", .read = read_against_number, .detail = CONDITION_AT_MOST},
	{.name = "equals", .read = read_against_word, .detail = CONDITION_EQUALS},
	{.name = "not_equals", .read = read_against_word, .detail = CONDITION_NOT_EQUALS},
	{.name = "outside", .read = read_against_range, .detail = CONDITION_OUTSIDE},
	{.name = "hysteresis",
     .read = config_read_number,
     .offset = offsetof(struct when, condition.hysteresis),
     .least = 0,
     .most = DBL_MAX,
     .wanted = "a number, 0 or more"},
	{.name = "for",
     .read = config_read_seconds,
     .offset = offsetof(struct when, condition.for_ms),
     .least = 0,
     .most = CONFIG_SECONDS_MAX,
     .detail = 1000,
     .wanted = "seconds from 0 to 31536000"},
};
static const struct config_shape when_shape = {CONFIG_KEYS(when_keys),
                                               .wanted = "a condition, such as {\"above\": 28}"};

static bool has_hysteresis(enum condition_op op)
{
	return op != CONDITION_EQUALS && op != CONDITION_NOT_EQUALS;
}

/* A hysteresis wider than half the range would leave no value at which `outside` is over. */
static bool can_return(const struct condition *when)
{
	const struct operand *low = &when->operand[0], *high = &when->operand[1];
	if (when->op != CONDITION_OUTSIDE || low->input >= 0 || high->input >= 0)
		return true;
	return when->hysteresis <= (high->constant.number - low->constant.number) / 2;
}

bool config_read_when(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                      void *field)
{
	struct rule *rule = field;
	struct when when = {0};
	(void)key;

	if (!config_read_object(reader, node, &when_shape, &when))
		return false;
	if (!when.has_op)
		return config_refuse(reader->error, node, NULL,
		                     "one of: above, below, at_least, at_most, equals, not_equals, outside");
	struct config_node hysteresis = config_member(node, "hysteresis");
	if (hysteresis.item != NULL && !has_hysteresis(when.condition.op))
		return config_refuse(reader->error, &hysteresis, NULL, "no hysteresis beside equals and not_equals");
	if (!can_return(&when.condition))
		return config_refuse(reader->error, &hysteresis, NULL,
		                     "at most half of the range from one end of outside to the other");
	rule->when = when.condition;
	rule->has_condition = true;
	return true;
}
