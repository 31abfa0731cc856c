/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_init_test: the first administrator in a state folder, a lost password, and what init leaves alone.
 */
#include "ctrl/ctrl_parse.h"
#include "ctrl/ctrl_run.h"

#include "account.h"
#include "password.h"
#include "storage_offline.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST  "correct horse battery"
#define SECOND "another horse battery"

static char folder[128], password_file[160];

static int set_up(void **state)
{
	const char *temporary = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof folder, "%s/hearth-ctrl-XXXXXX", temporary && strlen(temporary) < 64 ? temporary : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(password_file, sizeof password_file, "%s/password", folder);
	return 0;
}

static int tear_down(void **state)
{
	char command[200];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command); // NOLINT(cert-env33-c): a folder that this test has made
}

/* `init --state-dir FOLDER/hearth` with a password and these words (NULL: none), its output to /dev/null; its status. */
static int init(const char *password, const char *option, const char *value, char error[static CTRL_ERROR_MAX])
{
	char state_dir[160], *words[8] = {"init", "--state-dir", state_dir, "--password-file", password_file};
	struct ctrl_call call = {.connection = {.host = "localhost"}};
	FILE *file = fopen(password_file, "we");
	int count = 5, status;

	assert_non_null(file);
	fprintf(file, "%s\n", password);
	fclose(file);
	snprintf(state_dir, sizeof state_dir, "%s/hearth", folder);
	if (option) {
		words[count++] = (char *)option;
		words[count++] = (char *)value;
	}
	status = ctrl_parse(count, words, 0, &call);
	if (!status)
		status = ctrl_run(&call);
	snprintf(error, CTRL_ERROR_MAX, "%s", call.error);
	ctrl_call_free(&call);
	return status;
}

static struct offline *open_state(void)
{
	char state_dir[160], error[512];
	struct offline *offline;

	snprintf(state_dir, sizeof state_dir, "%s/hearth", folder);
	if (!offline_open(state_dir, &offline, error, sizeof error))
		fail_msg("%s", error);
	return offline;
}

static void put(const char *name, const char *body)
{
	struct offline *offline = open_state();
	struct document document = {slice_of(name), slice_of(body)};
	char error[512];

	assert_true(offline_put_documents(offline, &document, 1, error, sizeof error));
	offline_close(offline);
}

struct found {
	const char *name;
	char body[4096];
	size_t count;
};

static void look(void *context, const struct document *document)
{
	struct found *found = context;

	found->count++;
	if (slice_is(document->name, found->name))
		snprintf(found->body, sizeof found->body, "%.*s", (int)document->body.len, document->body.ptr);
}

/* A document's body, "" if there is none; *count is how many there are in all. Valid until the next call. */
static const char *body_of(const char *name, size_t *count)
{
	static struct found found;
	struct offline *offline = open_state();
	char error[512];

	found = (struct found){.name = name};
	assert_true(offline_each_document(offline, look, &found, error, sizeof error));
	offline_close(offline);
	*count = found.count;
	return found.body;
}

/* Is it an administrator that this password signs in? */
static void expect_admin(const char *body, const char *plain, bool yes)
{
	struct account_error wrong;
	struct account *account = account_read(slice_of(body), &wrong);
	struct password password;

	assert_non_null(account);
	assert_int_equal(account_role(account), ROLE_ADMIN);
	assert_true(account_usable(account, 0));
	assert_true(account_allows_client_id(account, slice_of("any")));
	assert_true(password_read(account_password(account), &password));
	assert_false(password_is_weak(&password));
	assert_int_equal(password_verify(&password, slice_of(plain)), yes);
	account_free(account);
}

static void makes_an_administrator(void **state)
{
	char error[CTRL_ERROR_MAX], path[160];
	struct stat made;
	const char *body;
	size_t count;

	(void)state;
	assert_int_equal(init(FIRST, NULL, NULL, error), CTRL_OK);
	body = body_of("account/admin", &count);
	assert_int_equal(count, 1);
	expect_admin(body, FIRST, true);
	expect_admin(body, SECOND, false);
	assert_null(strstr(body, FIRST));
	snprintf(path, sizeof path, "%s/hearth", folder);
	assert_int_equal(stat(path, &made), 0);
	assert_int_equal(made.st_mode & 07777, 0700);
}

static void resets_a_lost_password_and_lets_in_again(void **state)
{
	char error[CTRL_ERROR_MAX];
	const char *body;
	size_t count;

	(void)state;
	put("account/chief",
	    "{\"username\":\"chief\",\"role\":\"admin\",\"disabled\":true,\"expires\":\"1970-01-01T00:00:01Z\","
	    "\"clientIds\":[\"desk\"],\"grants\":[{\"deny\":\"write\",\"topic\":\"hall/#\"}]}");
	put("account/anna", "{\"username\":\"anna\",\"role\":\"guest\"}");
	assert_int_equal(init(SECOND, "--username", "chief", error), CTRL_OK);
	body = body_of("account/chief", &count);
	assert_int_equal(count, 2);
	expect_admin(body, SECOND, true);
	/* What does not keep it out stays. */
	assert_non_null(strstr(body, "hall/#"));
	assert_string_equal(body_of("account/anna", &count), "{\"username\":\"anna\",\"role\":\"guest\"}");
}

static void changes_nothing_if_it_refuses(void **state)
{
	static const struct {
		const char *password, *username;
		int status;
		const char *said;
	} cases[] = {
		{"short", "admin", CTRL_USAGE, "too short"},    {"", "admin", CTRL_FILE, "wanted a password"},
		{FIRST, "anna", CTRL_USAGE, "anna is a guest"}, {FIRST, "", CTRL_USAGE, "$.username"},
		{FIRST, "a\033b", CTRL_USAGE, "$.username"},
	};
	char error[CTRL_ERROR_MAX];
	size_t count;

	(void)state;
	put("account/anna", "{\"username\":\"anna\",\"role\":\"guest\"}");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(init(cases[i].password, "--username", cases[i].username, error), cases[i].status);
		if (!strstr(error, cases[i].said))
			fail_msg("said \"%s\", wanted \"%s\"", error, cases[i].said);
		assert_null(strstr(error, FIRST));
	}
	assert_string_equal(body_of("account/anna", &count), "{\"username\":\"anna\",\"role\":\"guest\"}");
	assert_int_equal(count, 1);
}

static void a_folder_in_use_is_left_alone(void **state)
{
	char error[CTRL_ERROR_MAX];
	struct offline *offline = open_state();

	(void)state;
	assert_int_equal(init(FIRST, NULL, NULL, error), CTRL_FILE);
	assert_string_not_equal(error, "");
	offline_close(offline);
	assert_int_equal(init(FIRST, NULL, NULL, error), CTRL_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_an_administrator, set_up, tear_down),
		cmocka_unit_test_setup_teardown(resets_a_lost_password_and_lets_in_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(changes_nothing_if_it_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_in_use_is_left_alone, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("ctrl_init", tests, NULL, NULL);
}
