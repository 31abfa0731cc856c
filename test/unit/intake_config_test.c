/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake: configs that come as messages (taken, refused, kept for a restart) and the restart itself.
 */
#include "intake.h"

#include "config.h"
#include "fake_broker.h"
#include "house_scene.h"
#include "journal_text.h"
#include "keeper.h"
#include "record.h"
#include "state.h"

#define QUOTA (1024 * KIB)

static int make(void **state)
{
	static struct house house;
	house_make(&house, QUOTA, false);
	*state = &house;
	return 0;
}

static int make_trusting_one(void **state)
{
	static struct house house;
	house_make(&house, QUOTA, true);
	*state = &house;
	return 0;
}

static int dispose(void **state)
{
	house_remove(*state);
	return 0;
}

static const char *retained(struct house *house)
{
	return journal_retained(house->journal.journal);
}

#define COOL(limit)                                                                                                    \
	"{'rules':[{'name':'cool','when':{'above':" limit "},'then':[{'set':'hall/fan/motor','to':1}],"                    \
	"'else':[{'set':'hall/fan/motor','to':0}]}]}"

/* ---- taken and refused ---- */

static void visit_cut(const char *path, void *context)
{
	(void)context;
	if (strstr(path, ".journal") != NULL)
		assert_int_equal(truncate(path, 0), 0);
}

/* The disk refuses it when it is in force already: that is said, and the same config sent again is tried again. */
static void a_config_that_the_disk_refused_is_kept_when_it_comes_again(void **state)
{
	dispose(state);
	make(state); /* again, because meanwhile cmocka has set up a handler of its own for what happens here */
	struct house *house = *state;
	each_file(&house->journal, visit_cut, NULL);
	static const struct step refused[] = {
		RETAIN(0, "hall/u/t/config", "{'max':50}", "hall/u/t/error=journal_full"),
		PUBLISH(1000, "hall/u/t/value", "60", "hall/u/t/error=out_of_range"),
	};
	PLAY(house, refused);
	fixture_sync(&house->journal);
	const uint64_t head = journal_head(house->journal.journal);
	static const struct step again[] = {RETAIN(2000, "hall/u/t/config", "{'max':50}", "")};
	PLAY(house, again);
	assert_true(journal_head(house->journal.journal) > head);
}

static void a_config_counts_from_the_next_reading_on(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		PUBLISH(0, "hall/u/t/value", "29", ""),
		RETAIN(1, "hall/u/t/config", COOL("28"), ""),
		TICK(2, ""),
		PUBLISH(3, "hall/u/t/value", "29", "hall/fan/motor/set=1"),
		RETAIN(4, "hall/u/t/config", COOL("28"), ""), /* the same: the latch stays */
		PUBLISH(5, "hall/u/t/value", "29", ""),
		RETAIN(6, "hall/u/t/config", COOL("30"), ""),
		PUBLISH(7, "hall/u/t/value", "29", "hall/fan/motor/set=0"),
		RETAIN(8, "hall/u/t/config", "", ""),
		PUBLISH(9, "hall/u/t/value", "40", ""),
		RETAIN(10, "hall/u/t/config", "", ""), /* removed already */
	};
	PLAY(house, steps);
	/* The same again is not kept; a removal always is, since what it removes may be out of force only for now. */
	assert_int_equal(journal_count(house->journal.journal, RECORD_RETAINED), 4);
	const char *kept = retained(house);
	size_t len = strlen(kept);
	assert_string_equal(kept + len - strlen("; hall/u/t/config="), "; hall/u/t/config=");
	assert_int_equal(fake_lines(), 0);
}

static void defaults_of_location_and_house_merge(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "all/all/t/config", "{'max':50,'unit':'K'}", ""),
		RETAIN(0, "hall/all/t/config", "{'unit':'°C'}", ""),
		PUBLISH(0, "hall/u/t/value", "{\"value\":20,\"unit\":\"°C\"}", ""),
		PUBLISH(1, "hall/u/t/value", "60", "hall/u/t/error=out_of_range"),
		RETAIN(2, "hall/u/t/config", "{'max':70}", ""),
		PUBLISH(3, "hall/u/t/value", "60", ""),
		PUBLISH(4, "yard/u/t/value", "60", "yard/u/t/error=out_of_range"),
		RETAIN(5, "all/all/t/config", "", ""),
		PUBLISH(6, "yard/u/t/value", "{\"value\":60,\"unit\":\"K\"}", ""),
	};
	PLAY(house, steps);
}

static void a_bad_config_is_withheld_and_the_good_one_stays(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "hall/u/t/config", "{'max':50}", ""),
		WITHHELD(0, "hall/u/t/config", "{'max':'hot'}", "hall/u/t/error=refused_config"),
		WITHHELD(0, "hall/u/t/config", "{'max':", "hall/u/t/error=refused_config"), /* each is told at once */
		WITHHELD(0, "all/u/t/config", "{'max':5}", "all/u/t/error=refused_config"),
		WITHHELD(0, "hall/all/t/config", "{'min':50}", "hall/all/t/error=refused_config"), /* against the 50 above */
		{DO_WITHHELD, 0, "hall/u/t/config", "{'max':60}", false, "hall/u/t/error=not_retained"},
		{DO_WITHHELD, 0, "hall/u/t/config", "", false, "hall/u/t/error=not_retained"},
		PUBLISH(1, "hall/u/t/value", "55", "hall/u/t/error=out_of_range"),
		PUBLISH(1, "hall/u/t/value", "45", ""),
	};
	PLAY(house, steps);
	assert_string_equal(retained(house), "hall/u/t/config={\"max\":50}");
	assert_int_equal(intake_counters(house->intake).refused, 7);
	assert_int_equal(fake_lines_with("refused_config at $.max: found \"hot\"; wanted a number"), 1);
	assert_int_equal(fake_lines_with("a clash with hall/u/t/config"), 1);
}

static void a_refusal_says_where_in_json(void **state)
{
	struct house *house = *state;
	const char *text = "{\"rules\":[{\"name\":\"r\",\"when\":{\"above\":\"x\"},\"then\":[]}]}";
	assert_int_equal(house_publish(house, "hall/u/t/config", slice_of(text), true, 0), INTAKE_WITHHOLD);
	const struct fake_publish *error = fake_publish_at(0);
	assert_string_equal(error->topic, "hall/u/t/error");
	assert_false(error->retain);
	assert_non_null(strstr(error->payload, "\"subject\":\"config\",\"code\":\"refused_config\""));
	assert_non_null(strstr(error->payload, "\"path\":\"$.rules[0].when.above\""));
	assert_non_null(strstr(error->payload, "\"time\":\"2026-11-22T10:00:00.000000Z\""));
}

static void a_clash_between_house_and_device_keeps_both_good_ones(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		RETAIN(0, "all/all/t/config", "{'max':100}", ""),
		RETAIN(1, "hall/u/t/config", "{'min':50}", ""),
		WITHHELD(2, "all/all/t/config", "{'max':40}", "all/all/t/error=refused_config"),
		PUBLISH(3, "hall/u/t/value", "101", "hall/u/t/error=out_of_range"),
		PUBLISH(4, "hall/u/t/value", "100", ""),
		PUBLISH(5, "yard/u/t/value", "45", ""),
	};
	PLAY(house, steps);
	assert_string_equal(retained(house), "all/all/t/config={\"max\":100}; hall/u/t/config={\"min\":50}");
}

static void only_whom_the_options_name_may_configure(void **state)
{
	struct house *house = *state;
	static const struct step steps[] = {
		WITHHELD(0, "hall/u/t/config", "{'max':50}", "hall/u/t/error=not_permitted"),
		USER("administrator"),
		WITHHELD(1, "hall/u/t/config", "{'max':50}", "hall/u/t/error=not_permitted"),
		USER("admin"),
		RETAIN(2, "hall/u/t/config", "{'max':50}", ""),
		USER("adm"),
		WITHHELD(3, "hall/u/t/config", "", "hall/u/t/error=not_permitted"),
		PUBLISH(4, "hall/u/t/value", "51", "hall/u/t/error=out_of_range"),
		PUBLISH(5, "hall/fan/motor/set", "1", ""), /* commands are anybody's */
	};
	PLAY(house, steps);
	assert_string_equal(retained(house), "hall/u/t/config={\"max\":50}");
}

static void a_config_may_have_128_kib(void **state)
{
	struct house *house = *state;
	static char text[CONFIG_PAYLOAD_MAX + 1];
	memset(text, ' ', sizeof text);
	text[snprintf(text, sizeof text, "{\"max\":50")] = ' ';
	text[sizeof text - 2] = '}';
	struct slice longest = {text, CONFIG_PAYLOAD_MAX};
	assert_int_equal(house_publish(house, "hall/u/t/config", longest, true, 0), INTAKE_PASS);
	assert_int_equal(journal_count(house->journal.journal, RECORD_RETAINED), 1);
	text[sizeof text - 1] = ' ';
	struct slice too_long = {text, sizeof text};
	assert_int_equal(house_publish(house, "hall/v/t/config", too_long, true, 0), INTAKE_WITHHOLD);
	assert_non_null(strstr(fake_broker_said(), "hall/v/t/error="));
	assert_int_equal(fake_lines_with("at most 131072 bytes"), 1);
	assert_int_equal(journal_count(house->journal.journal, RECORD_RETAINED), 1);
}

static void a_config_without_room_in_the_journal_is_refused(void **state)
{
	struct house *house = *state;
	static char text[16 * KIB];
	bool refused = false;
	memset(text, ' ', sizeof text);
	for (int i = 0; i < 200 && !refused; i++) {
		char head[32];
		int len = snprintf(head, sizeof head, "{\"max\":%d", 50 + i);
		memcpy(text, head, (size_t)len);
		text[sizeof text - 1] = '}';
		refused =
			house_publish(house, "hall/u/t/config", (struct slice){text, sizeof text}, true, i) == INTAKE_WITHHOLD;
		if (!refused)
			assert_string_equal(fake_broker_said(), "");
		else
			assert_string_equal(fake_broker_said(), "hall/u/t/error=journal_full");
	}
	assert_true(refused);
	size_t kept = journal_count(house->journal.journal, RECORD_RETAINED);
	char just_good[32], just_bad[32];
	snprintf(just_good, sizeof just_good, "%zu", 50 + kept - 1); /* the last one's max is in force */
	snprintf(just_bad, sizeof just_bad, "%zu", 50 + kept);
	house_publish(house, "hall/u/t/value", slice_of(just_good), false, 1000);
	assert_string_equal(fake_broker_said(), "");
	house_publish(house, "hall/u/t/value", slice_of(just_bad), false, 1000);
	assert_string_equal(fake_broker_said(), "hall/u/t/error=out_of_range");
}

static void own_gauges_can_have_thresholds(void **state)
{
	struct house *house = *state;
	struct host_sample sample = {.known = {[HOST_CPU] = true}, .value = {[HOST_CPU] = 95}};
	static const struct step steps[] = {RETAIN(0, "node1/hearth/cpu/config", COOL("90"), "")};
	PLAY(house, steps);
	intake_gauges(house->intake, &sample, 0, instant_at(1));
	assert_non_null(strstr(fake_broker_said(), "hall/fan/motor/set=1"));
}

/* ---- restart ---- */

struct config_text {
	const char *topic, *payload;
};

struct restoring {
	struct house *house;
	int pass;
};

/* Hands the documents over as the state file does: in the order of their names, once for each pass. */
static void restore(struct house *house, const struct config_text *documents, size_t count)
{
	char payload[1024];
	for (int pass = 0; pass < INTAKE_RESTORE_PASSES; pass++) {
		for (size_t i = 0; i < count; i++) {
			snprintf(payload, sizeof payload, "%s", documents[i].payload);
			for (char *at = payload; *at != '\0'; at++) {
				if (*at == '\'')
					*at = '\"';
			}
			intake_restore(house->intake, slice_of(documents[i].topic), slice_of(payload), slice_of(""), pass,
			               instant_at(0));
		}
	}
}

/* A topic that plugin_opt_ignore names since is nobody's of Hearth's any more. */
static void what_is_ignored_by_now_is_left_alone(void **state)
{
	struct house *house = *state;
	static const struct config_text documents[] = {{"homeassistant/u/t/config", "{'max':50}"}};
	restore(house, documents, COUNT(documents));
	assert_int_equal(fake_publishes(), 0);
}

static void what_was_kept_is_in_force_and_published_once(void **state)
{
	struct house *house = *state;
	/* In the order of their names the device's comes before the location's, without which it clashes with the house's. */
	static const struct config_text documents[] = {
		{"all/all/t/config", "{'max':50,'rules':[{'name':'r','when':{'above':{'topic':'b/hearth/setpoint/state'}},"
	                         "'then':[{'set':'b/fan/motor','to':1}]}]}"},
		{"all/hearth/auto/state", "1"},
		{"b/a/t/config", "{'min':60}"},
		{"b/all/t/config", "{'max':100}"},
		{"b/hearth/auto/state", "0"},
		{"b/hearth/setpoint/state", "21.5"},
		{"b/old/t/config", ""}, /* a tombstone */
	};
	restore(house, documents, COUNT(documents));
	assert_int_equal(fake_publishes(), COUNT(documents));
	for (size_t i = 0; i < COUNT(documents); i++) {
		const struct fake_publish *one = fake_publish_at(i);
		assert_true(one->retain);
		size_t found = 0;
		for (size_t j = 0; j < COUNT(documents); j++)
			found += strcmp(documents[j].topic, one->topic) == 0 &&
			         documents[j].payload[0] == (one->len ? one->payload[0] : 0);
		assert_int_equal(found, 1);
	}
	fake_broker_said();
	assert_int_equal(fake_lines(), 0);
	assert_string_equal(journal_text(house->journal.journal), "");

	static const struct step steps[] = {
		PUBLISH(1, "b/a/t/value", "59", "b/a/t/error=out_of_range"),
		PUBLISH(2, "b/a/t/value", "70", ""), /* the automation is off, as it was */
		PUBLISH(3, "c/u/t/value", "51", "c/u/t/error=out_of_range"),
		PUBLISH(4, "b/hearth/auto/set", "1", "b/hearth/auto/state=1 (retained); b/fan/motor/set=1"),
		RETAIN(5, "b/all/t/config", "{'max':100}", ""), /* the same again */
	};
	PLAY(house, steps);
	assert_string_equal(retained(house), "b/hearth/auto/state=1");
}

static void what_no_longer_can_be_in_force_is_logged(void **state)
{
	struct house *house = *state;
	static const struct config_text documents[] = {
		{"a/u/t/config", "{'minimum':60}"},
		{"a/v/t/config", "{'max':60}"},
		{"a/v/x/y", "1"},
		{"a/v/t/value", "1"},
	};
	restore(house, documents, COUNT(documents));
	assert_int_equal(fake_lines(), 1);
	assert_int_equal(fake_lines_with("a/u/t/config is not in force: $.minimum"), 1);
	fake_broker_said();
	static const struct step steps[] = {
		PUBLISH(1, "a/u/t/value", "59", ""),
		PUBLISH(2, "a/v/t/value", "61", "a/v/t/error=out_of_range"),
	};
	PLAY(house, steps);
}

static void restore_one(void *context, struct slice topic, struct slice payload, struct slice author, int64_t time_us)
{
	const struct restoring *restoring = context;
	(void)time_us;
	intake_restore(restoring->house->intake, topic, payload, author, restoring->pass, instant_at(9));
}

/* Ends the intake and begins another one with what the journal and the state file kept, as the plugin does at start. */
static void restart(struct house *house)
{
	char path[256], error[256] = "";
	snprintf(path, sizeof path, "%s/state.db", house->journal.directory);
	struct state *state = state_open(path, error, sizeof error);
	if (!state || !keeper_catch_up(house->journal.journal, state, error, sizeof error))
		fail_msg("%s", error);
	intake_free(house->intake);
	fixture_close(&house->journal);
	fixture_open(&house->journal, QUOTA, QUOTA / 4);
	house->intake = intake_new(&(struct intake_options){
		.broker = &fake_broker, .journal = house->journal.journal, .options = &house->options, .seed = 1});
	assert_non_null(house->intake);
	struct restoring restoring = {.house = house};
	for (; restoring.pass < INTAKE_RESTORE_PASSES; restoring.pass++)
		assert_true(state_each_retained(state, restore_one, &restoring));
	state_close(state);
}

static void a_restart_brings_back_configs_switches_and_helpers(void **state)
{
	struct house *house = *state;
	static const struct step before[] = {
		RETAIN(0, "hall/u/t/config", COOL("28"), ""),
		RETAIN(0, "hall/gone/t/config", "{'max':1}", ""),
		RETAIN(1, "hall/gone/t/config", "", ""),
		PUBLISH(1, "hall/hearth/auto/set", "off", "hall/hearth/auto/state=0 (retained)"),
		PUBLISH(2, "all/hearth/mode/set", "home", "all/hearth/mode/state=home (retained)"),
		PUBLISH(3, "all/hearth/mode/set", "away", "all/hearth/mode/state=away (retained)"),
	};
	static const struct step after[] = {
		PUBLISH(10, "hall/u/t/value", "29", ""),
		PUBLISH(11, "hall/hearth/auto/set", "1", "hall/hearth/auto/state=1 (retained); hall/fan/motor/set=1"),
		PUBLISH(12, "hall/gone/t/value", "2", ""),
	};
	PLAY(house, before);
	restart(house);
	const char *said = fake_broker_said();
	assert_non_null(strstr(said, "all/hearth/mode/state=away (retained)"));
	assert_non_null(strstr(said, "hall/gone/t/config= (retained)")); /* an old autosave may hold it */
	assert_non_null(strstr(said, "hall/u/t/config={"));
	PLAY(house, after);
	restart(house);
	assert_non_null(strstr(fake_broker_said(), "hall/hearth/auto/state=1 (retained)"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_config_that_the_disk_refused_is_kept_when_it_comes_again),
		TEST(a_config_counts_from_the_next_reading_on),
		TEST(defaults_of_location_and_house_merge),
		TEST(a_bad_config_is_withheld_and_the_good_one_stays),
		TEST(a_refusal_says_where_in_json),
		TEST(a_clash_between_house_and_device_keeps_both_good_ones),
		cmocka_unit_test_setup_teardown(only_whom_the_options_name_may_configure, make_trusting_one, dispose),
		TEST(a_config_may_have_128_kib),
		TEST(a_config_without_room_in_the_journal_is_refused),
		TEST(own_gauges_can_have_thresholds),
		TEST(what_is_ignored_by_now_is_left_alone),
		TEST(what_was_kept_is_in_force_and_published_once),
		TEST(what_no_longer_can_be_in_force_is_logged),
		TEST(a_restart_brings_back_configs_switches_and_helpers),
	};
	return cmocka_run_group_tests_name("intake: configs", tests, NULL, NULL);
}
