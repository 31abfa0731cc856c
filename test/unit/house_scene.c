/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * house_scene: see house_scene.h.
 */
#include "house_scene.h"

#include "fake_broker.h"
#include "journal_text.h"

static char homeassistant[] = "homeassistant/#", tasmota[] = "tasmota/#", node[] = "node1", admin[] = "admin";
static char *ignored[] = {homeassistant, tasmota};
static char *trusted[] = {admin};

void house_make(struct house *house, uint64_t quota, bool only_admin)
{
	memset(house, 0, sizeof *house);
	fake_broker_reset();
	fixture_make(&house->journal);
	fixture_open(&house->journal, quota, quota / 4);
	house->options = (struct options){
		.node = node,
		.ignore = {COUNT(ignored), ignored},
		.config_from = {only_admin ? COUNT(trusted) : 0, trusted},
		.max_series = HOUSE_SERIES_MAX,
	};
	house->intake = intake_new(&(struct intake_options){
		.broker = &fake_broker, .journal = house->journal.journal, .options = &house->options, .seed = 4711});
	assert_non_null(house->intake);
}

void house_remove(struct house *house)
{
	intake_free(house->intake);
	fixture_remove(&house->journal);
	fake_broker_reset();
}

enum verdict house_publish(struct house *house, const char *topic, struct slice payload, bool retain, int64_t at_ms)
{
	struct message message = {.topic = slice_of(topic), .payload = payload, .client = NULL, .retain = retain};
	return intake_message(house->intake, &message, instant_at(at_ms));
}

static bool is_config(const char *topic)
{
	size_t len = strlen(topic), tail = strlen("/config");
	return len > tail && strcmp(topic + len - tail, "/config") == 0;
}

static enum verdict publish(struct house *house, const struct step *step)
{
	char payload[4096];
	assert_in_range(snprintf(payload, sizeof payload, "%s", step->payload), 0, sizeof payload - 1);
	for (char *at = payload; is_config(step->topic) && *at != '\0'; at++) {
		if (*at == '\'')
			*at = '"';
	}
	return house_publish(house, step->topic, slice_of(payload), step->retain, step->at_ms);
}

static void play(struct house *house, const struct step *step)
{
	switch (step->deed) {
	case DO_PUBLISH:
		assert_int_equal(publish(house, step), INTAKE_PASS);
		return;
	case DO_WITHHELD:
		assert_int_equal(publish(house, step), INTAKE_WITHHOLD);
		return;
	case DO_TICK:
		intake_tick(house->intake, instant_at(step->at_ms));
		return;
	case DO_USER:
		fake_broker_user(step->topic);
		return;
	}
}

void house_play(struct house *house, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		play(house, &steps[i]);
		const char *said = fake_broker_said();
		if (strcmp(said, steps[i].said) != 0)
			fail_msg("step %zu (%s %s at %d ms): said \"%s\", wanted \"%s\"", i,
			         steps[i].topic ? steps[i].topic : "tick", steps[i].payload ? steps[i].payload : "", steps[i].at_ms,
			         said, steps[i].said);
	}
}
