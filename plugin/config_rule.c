/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_rule: "rules" of a document → struct rule.
 *
 * Each kind of object has its table of keys; what a table cannot say (which key needs which) is checked behind it.
 */
#include "config_parse.h"

#include <stddef.h>
#include <string.h>

#define LIST_OF_ACTIONS "a list of 1 to 64 actions, such as "

/* ---- actions ---- */

/* A text is sent as it is written ("007" is no 7), so it stays beside the number that it may be. */
static bool read_to(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                    void *field)
{
	struct value *value = field;
	double number = 0;
	if (cJSON_IsString(node->item)) {
		struct slice word = {0};
		if (!config_read_word(reader, node, key, &word))
			return false;
		*value = value_of_text(word);
		value->text = word;
		return true;
	}
	if (!config_read_number(reader, node, key, &number))
		return false;
	*value = value_of_number(number);
	return true;
}

static const struct config_key scale_keys[] = {
	{.name = "from",
     .read = config_read_pair,
     .offset = offsetof(struct scale, from),
     CONFIG_ANY_NUMBER,
     .required = true,
     .wanted = "[a, b], two different numbers"},
	{.name = "to",
     .read = config_read_pair,
     .offset = offsetof(struct scale, to),
     CONFIG_ANY_NUMBER,
     .required = true,
     .wanted = "[c, d], two numbers"},
	{.name = "digits",
     .read = config_read_whole,
     .offset = offsetof(struct scale, digits),
     .least = 0,
     .most = 6,
     .wanted = "a whole number from 0 to 6"},
};
static const struct config_shape scale_shape = {CONFIG_KEYS(scale_keys),
                                                .wanted = "{\"from\": [a, b], \"to\": [c, d]}"};

static bool read_scale(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                       void *field)
{
	struct action_to *action = field;
	struct scale *scale = &action->scale;
	(void)key;

	if (!config_read_object(reader, node, &scale_shape, scale))
		return false;
	struct config_node from = config_member(node, "from");
	if (scale->from[0] == scale->from[1])
		return config_refuse(reader->error, &from, NULL, scale_keys[0].wanted);
	action->has_scale = true;
	return true;
}

static const struct config_key once_keys[] = {
	{.name = "set",
     .read = config_read_target,
     .offset = offsetof(struct action_to, target),
     .required = true,
     .wanted = "\"location/device/actuator\""},
	{.name = "to",
     .read = read_to,
     .offset = offsetof(struct action_to, value),
     CONFIG_ANY_NUMBER,
     .required = true,
     .wanted = "a number or a word of 1 to 255 bytes"},
};
static const struct config_key always_keys[] = {
	{.name = "set",
     .read = config_read_target,
     .offset = offsetof(struct action_to, target),
     .required = true,
     .wanted = "\"location/device/actuator\""},
	{.name = "scale", .read = read_scale, .required = true, .wanted = "{\"from\": [a, b], \"to\": [c, d]}"},
};

/* An action's shape depends on which list it stands in: `key->detail` of the list. */
enum { ACTIONS_ONCE, ACTIONS_ALWAYS };
static const struct config_shape action_shapes[] = {
	[ACTIONS_ONCE] = {CONFIG_KEYS(once_keys), .wanted = "{\"set\": \"location/device/actuator\", \"to\": 1}"},
	[ACTIONS_ALWAYS] = {CONFIG_KEYS(always_keys), .wanted = "{\"set\": \"location/device/actuator\", \"scale\": {…}}"},
};

static bool read_action(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                        void *item)
{
	return config_read_object(reader, node, &action_shapes[key->detail], item);
}

static bool read_actions(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                         void *field)
{
	static const struct config_list list = {1, CONFIG_ACTIONS_MAX, sizeof(struct action_to), read_action};
	struct action_list *actions = field;
	actions->items = config_read_list(reader, node, key, &list, &actions->count);
	return actions->items != NULL;
}

/* ---- rules ---- */

static bool has_control_character(const char *name)
{
	for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++) {
		bool c0_or_delete = *p < 0x20 || *p == 0x7F;
		bool c1 = p[0] == 0xC2 && p[1] < 0xA0; /* U+0080 … U+009F */
		if (c0_or_delete || c1)
			return true;
	}
	return false;
}

static bool read_rule_name(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                           void *field)
{
	char **name = field;
	if (!config_read_text(reader, node, key, name))
		return false;
	return !has_control_character(*name) || config_refuse(reader->error, node, NULL, key->wanted);
}

static const struct config_key rule_keys[] = {
	{.name = "name",
     .read = read_rule_name,
     .offset = offsetof(struct rule, name),
     .most = CONFIG_NAME_MAX,
     .required = true,
     .wanted = "a name of 1 to 64 bytes without control characters"},
	{.name = "priority",
     .read = config_read_whole,
     .offset = offsetof(struct rule, priority),
     .least = -CONFIG_PRIORITY_MAX,
     .most = CONFIG_PRIORITY_MAX,
     .wanted = "a whole number from -1000 to 1000"},
	{.name = "auto",
     .read = config_read_bool,
     .offset = offsetof(struct rule, obeys_auto),
     .wanted = "true, or false to act while the automation is switched off"},
	{.name = "when", .read = config_read_when},
	{.name = "then",
     .read = read_actions,
     .offset = offsetof(struct rule, then_do),
     .detail = ACTIONS_ONCE,
     .wanted = LIST_OF_ACTIONS "[{\"set\": \"location/device/actuator\", \"to\": 1}]"},
	{.name = "else",
     .read = read_actions,
     .offset = offsetof(struct rule, else_do),
     .detail = ACTIONS_ONCE,
     .wanted = LIST_OF_ACTIONS "[{\"set\": \"location/device/actuator\", \"to\": 0}]"},
	{.name = "always",
     .read = read_actions,
     .offset = offsetof(struct rule, always_do),
     .detail = ACTIONS_ALWAYS,
     .wanted =
         LIST_OF_ACTIONS "[{\"set\": \"location/device/actuator\", \"scale\": {\"from\": [0, 50], \"to\": [255, 0]}}]"},
};
static const struct config_shape rule_shape = {CONFIG_KEYS(rule_keys),
                                               .wanted = "a rule, such as {\"name\": \"cool\", …}"};

static bool share_target(const struct action_list *a, const struct action_list *b)
{
	for (size_t i = 0; i < a->count; i++) {
		for (size_t j = 0; j < b->count; j++) {
			if (strcmp(a->items[i].target, b->items[j].target) == 0)
				return true;
		}
	}
	return false;
}

/* A rule must have something to do, and know when; and say one thing to an actuator at a time. */
static bool check_parts(struct config_reader *reader, const struct config_node *node, const struct rule *rule)
{
	bool on_edges = rule->then_do.count > 0 || rule->else_do.count > 0;
	struct config_node when = config_member(node, "when"), then = config_member(node, "then");

	if (on_edges && !rule->has_condition)
		return config_refuse(reader->error, &when, NULL,
		                     "a condition for \"then\" or \"else\", such as {\"above\": 28}");
	if (rule->has_condition && !on_edges)
		return config_refuse(reader->error, &then, NULL, "\"then\" or \"else\": what \"when\" should do");
	if (!on_edges && rule->always_do.count == 0)
		return config_refuse(reader->error, node, NULL, "\"when\" with \"then\" or \"else\", or \"always\"");
	struct config_node always = config_member(node, "always");
	if (share_target(&rule->always_do, &rule->then_do) || share_target(&rule->always_do, &rule->else_do))
		return config_refuse(reader->error, &always, NULL, "another actuator than \"then\" and \"else\" command");
	return true;
}

/* FNV-1a, 64 bits (G. Fowler, L. C. Noll, K.-P. Vo). */
static uint64_t hash_add(uint64_t hash, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.ptr[i]) * UINT64_C(0x100000001B3);
	return hash;
}

/* Of the levels and the rule's JSON; a NUL, which none of them holds, keeps them apart. */
static bool fingerprint(struct config_reader *reader, const cJSON *json, uint64_t *out)
{
	char *text = cJSON_PrintUnformatted(json);
	if (text == NULL)
		return config_refuse_memory(reader->error);
	const struct topic *sensor = reader->sensor;
	const struct slice parts[] = {sensor->location, sensor->device, sensor->sensor, slice_of(text)};
	uint64_t hash = UINT64_C(0xCBF29CE484222325);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		hash = hash_add(hash_add(hash, parts[i]), (struct slice){"", 1});
	cJSON_free(text);
	*out = hash;
	return true;
}

static bool read_rule(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                      void *item)
{
	struct rule *rule = item;
	const struct rule *before = rule - node->index; /* the rules of the document stand in one array */
	(void)key;

	*rule = (struct rule){.obeys_auto = true};
	reader->rule = rule;
	if (!config_read_object(reader, node, &rule_shape, rule) || !check_parts(reader, node, rule))
		return false;
	for (; before < rule; before++) {
		struct config_node name = config_member(node, "name");
		if (strcmp(before->name, rule->name) == 0)
			return config_refuse(reader->error, &name, NULL, "a name that no other rule of the document has");
	}
	return fingerprint(reader, node->item, &rule->fingerprint);
}

bool config_read_rules(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                       void *field)
{
	static const struct config_list list = {0, CONFIG_RULES_MAX, sizeof(struct rule), read_rule};
	struct config *config = field;
	config->rules = config_read_list(reader, node, key, &list, &config->rule_count);
	return config->rules != NULL;
}
