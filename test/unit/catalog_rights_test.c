/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * catalog_rights_test: a config is in force only while its author may do himself what its rules do, however they spell it.
 */
#include "account.h"
#include "fake_broker.h"
#include "journal_text.h"
#include "parts.h"

/* anna's account; the catalog asks it as the plugin has it asked. */
struct scene {
	struct parts parts;
	struct account *anna;
};

static bool may(void *context, struct slice user, bool write, struct slice filter)
{
	const struct scene *scene = context;
	return slice_is(user, "anna") && scene->anna != NULL &&
	       account_covers(scene->anna, write ? RIGHT_WRITE : RIGHT_READ, slice_of(""), filter) == COVERS_ALL;
}

/* Gives anna other rights: the rest of her document with ' for ". NULL: she is gone. */
static void rights(struct scene *scene, const char *more)
{
	struct account_error error;
	char text[512];

	account_free(scene->anna);
	scene->anna = NULL;
	if (more == NULL)
		return;
	snprintf(text, sizeof text, "{'username':'anna',%s}", more);
	scene->anna = account_read(quoted(text), &error);
	if (scene->anna == NULL)
		fail_msg("%s: found %s; wanted %s", error.path, error.found, error.wanted);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	if (!scene)
		return -1;
	parts_make(&scene->parts, 100);
	catalog_permit(scene->parts.feed.catalog, &(struct catalog_permission){may, scene});
	rights(scene, "'role':'manager','locations':['hall']");
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	account_free(scene->anna);
	parts_remove(&scene->parts);
	free(scene);
	return 0;
}

typedef enum catalog_result (*put_function)(struct catalog *catalog, struct slice name, const struct topic *topic,
                                            struct slice payload, struct slice author, struct config_error *error);

static enum catalog_result put_by(const struct scene *scene, put_function put, const char *author, const char *sensor,
                                  const char *text, struct config_error *error)
{
	char name[TOPIC_MAX + 1];
	struct topic topic;

	snprintf(name, sizeof name, "%s/config", sensor);
	assert_true(topic_parse(slice_of(name), &topic));
	memset(error, 0, sizeof *error);
	return put(scene->parts.feed.catalog, slice_of(name), &topic, quoted(text), slice_of(author), error);
}

static enum catalog_result annas(const struct scene *scene, const char *sensor, const char *text,
                                 struct config_error *error)
{
	return put_by(scene, catalog_put, "anna", sensor, text, error);
}

/* A rule that sets `target` above 5. */
static const char *rule_to(const char *target)
{
	static char text[512];
	snprintf(text, sizeof text, "{'rules':[{'name':'r','when':{'above':5},'then':[{'set':'%s','to':1}]}]}", target);
	return text;
}

static void a_rule_commands_only_what_its_author_may(void **state)
{
	static const struct {
		const char *sensor, *target;
		bool good;
	} rows[] = {
		{"hall/s1/t", "hall/fan/motor", true},
		{"hall/s1/t", "attic/fan/motor", false},
		{"hall/s1/t", "{location}/fan/motor", true},
		{"hall/s1/t", "hall/{device}/motor", true},
		{"hall/all/t", "{location}/{device}/motor", true},
		{"hall/all/t", "hall/{device}2/motor", true},
		/* What becomes of a placeholder may be spelt to be any other place. */
		{"hall/all/t", "h{device}/door/door", false},
		{"hall/all/t", "{device}/door/door", false},
		{"hall/all/t", "{device}all/door/door", false},
		{"hall/s1/t", "all/hearth/auto", false},
		{"hall/s1/t", "hall/hearth/auto", true},
	};
	const struct scene *scene = *state;
	struct config_error error;

	for (size_t i = 0; i < COUNT(rows); i++) {
		enum catalog_result result = annas(scene, rows[i].sensor, rule_to(rows[i].target), &error);
		if (result != (rows[i].good ? CATALOG_CHANGED : CATALOG_REFUSED))
			fail_msg("%s → %s: %d: %s: found %s; wanted %s", rows[i].sensor, rows[i].target, result, error.path,
			         error.found, error.wanted);
		if (!rows[i].good) {
			assert_string_equal(error.path, "$.rules[0]");
			assert_string_equal(error.wanted, "only what the config's author may command too");
		}
	}
}

static void every_branch_and_every_input_counts(void **state)
{
	static const char *const refused[] = {
		"{'rules':[{'name':'r','when':{'above':5},'then':[{'set':'hall/a/b','to':1}],"
		"'else':[{'set':'attic/fan/motor','to':1}]}]}",
		"{'rules':[{'name':'r','always':[{'set':'attic/fan/motor','scale':{'from':[0,1],'to':[0,1]}}]}]}",
		"{'rules':[{'name':'r','when':{'above':5},'then':[{'set':'hall/a/b','to':1},{'set':'attic/a/b','to':1}]}]}",
		"{'rules':[{'name':'r','when':{'above':{'topic':'attic/s1/t'}},'then':[{'set':'hall/a/b','to':1}]}]}",
		"{'rules':[{'name':'r','when':{'outside':[1,{'topic':'attic/s1/t/state'}]},'then':[{'set':'hall/a/"
		"b','to':1}]}]}",
	};
	const struct scene *scene = *state;
	struct config_error error;

	for (size_t i = 0; i < COUNT(refused); i++) {
		if (annas(scene, "hall/s1/t", refused[i], &error) != CATALOG_REFUSED)
			fail_msg("taken: %s", refused[i]);
		if (!strstr(error.wanted, i < 3 ? "may command too" : "may read too"))
			fail_msg("%zu: %s: found %s; wanted %s", i, error.path, error.found, error.wanted);
	}
	assert_int_equal(
		annas(scene, "hall/s1/t",
	          "{'rules':[{'name':'r','when':{'above':{'topic':'hall/s2/t'}},'then':[{'set':'hall/a/b','to':1}]}]}",
	          &error),
		CATALOG_CHANGED);
	/* Nobody's config, from before there were accounts, may all. */
	assert_int_equal(put_by(scene, catalog_put, "", "hall/s1/t", refused[0], &error), CATALOG_CHANGED);
	/* One who is unknown may nothing but limits. */
	assert_int_equal(put_by(scene, catalog_put, "bob", "hall/s1/t", rule_to("hall/a/b"), &error), CATALOG_REFUSED);
	assert_int_equal(put_by(scene, catalog_put, "bob", "hall/s1/t", "{'max':5}", &error), CATALOG_CHANGED);
}

static void denials_count_though_a_placeholder_is_in_the_way(void **state)
{
	struct scene *scene = *state;
	struct config_error error;

	rights(scene, "'role':'manager','locations':['hall'],'grants':[{'deny':'write','topic':'hall/door/+/set'}]");
	assert_int_equal(annas(scene, "hall/all/t", rule_to("hall/door/door"), &error), CATALOG_REFUSED);
	assert_int_equal(annas(scene, "hall/all/t", rule_to("hall/d{device}/door"), &error), CATALOG_REFUSED);
	assert_int_equal(annas(scene, "hall/all/t", rule_to("hall/{device}/led"), &error), CATALOG_REFUSED);
	assert_int_equal(annas(scene, "hall/s1/t", rule_to("hall/{device}/led"), &error), CATALOG_CHANGED);
}

/* ---- rights change ---- */

struct changes {
	size_t suspended, revived;
};

static void note_change(void *context, const struct topic *topic, bool suspended, const struct config_error *error)
{
	struct changes *changes = context;
	(void)topic, (void)error;
	changes->suspended += suspended;
	changes->revived += !suspended;
}

static bool is_anna(void *context, struct slice user)
{
	(void)context;
	return slice_is(user, "anna");
}

static struct changes recheck(const struct scene *scene)
{
	struct changes changes = {0};
	catalog_recheck(scene->parts.feed.catalog, &(struct catalog_authors){is_anna, NULL}, note_change, &changes);
	return changes;
}

static void a_config_goes_out_of_force_and_comes_back_with_its_authors_rights(void **state)
{
	struct scene *scene = *state;
	struct catalog_entry entry;
	struct config_error error;

	assert_int_equal(annas(scene, "hall/s1/t", rule_to("hall/fan/motor"), &error), CATALOG_CHANGED);
	assert_int_equal(put_by(scene, catalog_put, "", "hall/s2/t", rule_to("hall/fan/motor"), &error), CATALOG_CHANGED);
	parts_feed(&scene->parts, "hall/s1/t/value", "1", 0);
	parts_feed(&scene->parts, "hall/s1/t/value", "6", 10);
	assert_string_equal(fake_broker_said(), "hall/fan/motor/set=1");

	rights(scene, NULL);
	struct changes changes = recheck(scene);
	assert_int_equal(changes.suspended, 1); /* hers alone */
	assert_int_equal(recheck(scene).suspended, 0);
	parts_feed(&scene->parts, "hall/s1/t/value", "1", 20);
	parts_feed(&scene->parts, "hall/s1/t/value", "6", 30);
	assert_string_equal(fake_broker_said(), "");
	assert_true(catalog_at(scene->parts.feed.catalog, 0, &entry));
	assert_true(entry.suspended && slice_is(entry.author, "anna"));
	assert_true(catalog_at(scene->parts.feed.catalog, 1, &entry));
	assert_false(entry.suspended || catalog_at(scene->parts.feed.catalog, 2, &entry));

	rights(scene, "'role':'resident'");
	assert_int_equal(recheck(scene).revived, 1);
	parts_feed(&scene->parts, "hall/s1/t/value", "1", 40);
	parts_feed(&scene->parts, "hall/s1/t/value", "6", 50);
	assert_non_null(strstr(fake_broker_said(), "hall/fan/motor/set=1"));
}

static void at_the_start_one_that_is_not_permitted_is_kept_and_suspended(void **state)
{
	struct scene *scene = *state;
	struct config_error error;
	struct catalog_entry entry;

	assert_int_equal(put_by(scene, catalog_restore, "anna", "hall/s1/t", rule_to("attic/fan/motor"), &error),
	                 CATALOG_SUSPENDED);
	assert_string_equal(error.found, "attic/fan/motor");
	assert_true(catalog_at(scene->parts.feed.catalog, 0, &entry));
	assert_true(entry.suspended);
	parts_feed(&scene->parts, "hall/s1/t/value", "6", 0);
	assert_string_equal(fake_broker_said(), "");
	/* She may not have it back by saying it again, but who may can take it over. */
	assert_int_equal(annas(scene, "hall/s1/t", rule_to("attic/fan/motor"), &error), CATALOG_REFUSED);
	assert_int_equal(put_by(scene, catalog_put, "", "hall/s1/t", rule_to("attic/fan/motor"), &error), CATALOG_CHANGED);
	parts_feed(&scene->parts, "hall/s1/t/value", "6", 10);
	assert_string_equal(fake_broker_said(), "attic/fan/motor/set=1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rule_commands_only_what_its_author_may),
		TEST(every_branch_and_every_input_counts),
		TEST(denials_count_though_a_placeholder_is_in_the_way),
		TEST(a_config_goes_out_of_force_and_comes_back_with_its_authors_rights),
		TEST(at_the_start_one_that_is_not_permitted_is_kept_and_suspended),
	};
	return cmocka_run_group_tests_name("catalog: rights", tests, NULL, NULL);
}
