/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_offline: what is put while the broker is stopped is what a start finds; who owns the files; what is refused.
 *
 * Where files are to be another user's the test must be root's, and a child does it, whose files are counted afterwards.
 */
#include "storage_offline.h"

#include "journal.h"
#include "keeper.h"
#include "record.h"
#include "state.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define QUOTA   (16 << 20)
#define SOMEONE 64321u /* neither root nor anybody else */

static char parent[64];  /* a temporary folder */
static char folder[96];  /* the state folder in it, not made yet */
static char error[1024]; /* of the last call */

static int set_up(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(parent, sizeof parent, "%.40s/hearth_XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(parent))
		return -1;
	snprintf(folder, sizeof folder, "%s/hearth", parent);
	error[0] = '\0';
	return 0;
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(parent, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct offline *open_offline(const char *path)
{
	struct offline *offline = NULL;
	if (!offline_open(path, &offline, error, sizeof error))
		fail_msg("%s", error);
	assert_non_null(offline);
	return offline;
}

static void expect_refused(const char *path, const char *words)
{
	struct offline *offline = (struct offline *)error;
	error[0] = '\0';
	assert_false(offline_open(path, &offline, error, sizeof error));
	assert_null(offline);
	if (!strstr(error, words) || strchr(error, '\n'))
		fail_msg("found \"%s\", wanted \"%s\"", error, words);
}

static void put(struct offline *offline, const char *name, const char *body)
{
	struct document document = {slice_of(name), slice_of(body)};
	if (!offline_put_documents(offline, &document, 1, error, sizeof error))
		fail_msg("%s", error);
}

static void add_document(void *context, const struct document *document)
{
	size_t len = strlen(context);
	snprintf((char *)context + len, 512 - len, "%.*s=%.*s ", (int)document->name.len, document->name.ptr,
	         (int)document->body.len, document->body.ptr);
}

static const char *documents(struct offline *offline)
{
	static char text[512];
	text[0] = '\0';
	assert_true(offline_each_document(offline, add_document, text, error, sizeof error));
	return text;
}

/* ---- what a broker does with the folder ---- */

struct house {
	struct journal *journal;
	struct state *state;
};

static struct house start_house(void)
{
	char path[128];
	struct house house;
	snprintf(path, sizeof path, "%s/journal", folder);
	house.journal = journal_open(&(struct journal_options){.directory = path, .quota = QUOTA}, error, sizeof error);
	if (!house.journal)
		fail_msg("%s", error);
	snprintf(path, sizeof path, "%s/state.db", folder);
	house.state = state_open(path, error, sizeof error);
	if (!house.state)
		fail_msg("%s", error);
	assert_true(keeper_catch_up(house.journal, house.state, error, sizeof error));
	return house;
}

static void append(const struct house *house, const char *name, const char *body)
{
	uint8_t record[256];
	struct document document = {slice_of(name), slice_of(body)};
	size_t len = record_put_documents(record, 1, &document, 1);
	assert_int_not_equal(journal_reserve(house->journal, journal_record_size(len), JOURNAL_CONTROL), 0);
	assert_int_not_equal(journal_append(house->journal, RECORD_DOCUMENTS, record, len), 0);
}

static void add_from_state(void *context, const struct document *document, int64_t time_us)
{
	assert_true(time_us > 0);
	add_document(context, document);
}

static const char *documents_of(const struct house *house)
{
	static char text[512];
	text[0] = '\0';
	assert_true(state_each_document(house->state, add_from_state, text));
	return text;
}

static void end_house(struct house *house)
{
	state_close(house->state);
	journal_close(house->journal);
}

/* ---- tests ---- */

static void a_fresh_folder_is_made(void **state)
{
	(void)state;
	struct stat status;
	mode_t before = umask(0);
	struct offline *offline = open_offline(folder);
	assert_string_equal(documents(offline), "");
	put(offline, "account/anna", "{1}");
	put(offline, "account/ben", "{2}");
	put(offline, "account/anna", "");
	assert_string_equal(documents(offline), "account/ben={2} ");
	offline_close(offline);
	offline_close(NULL);
	umask(before);
	assert_int_equal(stat(folder, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);

	struct house house = start_house();
	assert_string_equal(documents_of(&house), "account/ben={2} ");
	end_house(&house);
	offline = open_offline(folder);
	assert_string_equal(documents(offline), "account/ben={2} ");
	offline_close(offline);
}

/* The broker was killed: what was in its journal alone is older than what is put now. */
static void the_journal_is_taken_in_first(void **state)
{
	(void)state;
	assert_int_equal(mkdir(folder, 0700), 0);
	struct house house = start_house();
	append(&house, "account/anna", "{journal}");
	append(&house, "account/ben", "{journal}");
	append(&house, "account/carl", "{journal}");
	end_house(&house);
	struct offline *offline = open_offline(folder);
	assert_string_equal(documents(offline), "account/anna={journal} account/ben={journal} account/carl={journal} ");
	put(offline, "account/ben", "{new}");
	put(offline, "account/carl", "");
	offline_close(offline);
	house = start_house();
	assert_string_equal(documents_of(&house), "account/anna={journal} account/ben={new} ");
	append(&house, "account/ben", "{newer}");
	end_house(&house);
	house = start_house();
	assert_string_equal(documents_of(&house), "account/anna={journal} account/ben={newer} ");
	end_house(&house);
}

static void all_or_none_are_put(void **state)
{
	(void)state;
	const struct document two[] = {{slice_of("account/anna"), slice_of("{1}")},
	                               {slice_of("account/ben"), slice_of("{2}")}};
	char path[128];
	struct offline *offline = open_offline(folder);
	assert_true(offline_put_documents(offline, two, 2, error, sizeof error));
	assert_string_equal(documents(offline), "account/anna={1} account/ben={2} ");
	/* With another file in its place that cannot be one, nothing is told to be kept. */
	snprintf(path, sizeof path, "%s/state.db", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(offline_put_documents(offline, two, 1, error, sizeof error));
	assert_non_null(strstr(error, path));
	offline_close(offline);
}

static void a_running_broker_is_told(void **state)
{
	(void)state;
	assert_int_equal(mkdir(folder, 0700), 0);
	struct house house = start_house();
	expect_refused(folder, "/hearth: a broker runs with this folder: stop it first");
	end_house(&house);
	struct offline *offline = open_offline(folder);
	expect_refused(folder, "stop it first");
	put(offline, "account/anna", "{1}");
	offline_close(offline);
}

static void what_cannot_be_opened_is_named(void **state)
{
	(void)state;
	char name[160];
	snprintf(name, sizeof name, "%s/none/hearth", parent);
	expect_refused(name, "wanted a folder in one that exists");
	expect_refused("", "wanted the path of a folder");
	snprintf(name, sizeof name, "%s/text", parent);
	int text = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(text, "text\n", 5), 5);
	close(text);
	expect_refused(name, "Not a directory");
	/* A state file that is none: it is moved away, and the next call goes on with a new one. */
	assert_int_equal(mkdir(folder, 0700), 0);
	char path[160];
	snprintf(path, sizeof path, "%s/state.db", folder);
	assert_int_equal(rename(name, path), 0);
	for (int i = 0; i < 200; i++) { /* long enough to be taken for a database */
		text = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
		assert_int_equal(write(text, "This is a letter, and no database.\n", 35), 35);
		close(text);
	}
	expect_refused(folder, "The state file was damaged");
	struct offline *offline = open_offline(folder);
	assert_string_equal(documents(offline), "");
	offline_close(offline);
}

static void a_path_may_be_relative(void **state)
{
	(void)state;
	char before[512];
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(parent), 0);
	struct offline *offline = open_offline("hearth/");
	assert_int_equal(chdir("/"), 0); /* nothing is looked for by that path later */
	put(offline, "account/anna", "{1}");
	offline_close(offline);
	struct house house = start_house();
	assert_string_equal(documents_of(&house), "account/anna={1} ");
	end_house(&house);
	assert_int_equal(chdir(before), 0);
}

/* ---- whose files they are ---- */

static size_t files_of_others;
static size_t files;

static int count_file(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)type;
	if (place->level == 0 && strcmp(name, parent) == 0)
		return 0;
	files++;
	if (status->st_uid != SOMEONE || status->st_gid != SOMEONE + 1) {
		print_error("%s belongs to %u:%u\n", name, (unsigned)status->st_uid, (unsigned)status->st_gid);
		files_of_others++;
	}
	return 0;
}

static void expect_all_someones(void)
{
	files = files_of_others = 0;
	assert_int_equal(nftw(parent, count_file, 8, FTW_PHYS), 0);
	assert_true(files >= 4); /* the folder, the journal's, its lock, the state file */
	assert_int_equal(files_of_others, 0);
}

static void give_to_someone(const char *path)
{
	assert_int_equal(chown(path, SOMEONE, SOMEONE + 1), 0);
}

/* With a file open in the middle, and after the end. */
static void use_folder(void)
{
	gid_t groups[8] = {0}, again[8] = {0};
	struct stat status;
	static const gid_t many[] = {0, 7, 8};
	assert_int_equal(setgroups(3, many), 0);
	int count = getgroups(8, groups);
	struct offline *offline = open_offline(folder);
	assert_int_equal(geteuid(), SOMEONE);
	assert_int_equal(getegid(), SOMEONE + 1);
	assert_int_equal(getgroups(8, again), 1);
	assert_int_equal(again[0], SOMEONE + 1);
	put(offline, "account/anna", "{1}");
	assert_int_equal(stat(folder, &status), 0);
	offline_close(offline);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
	assert_int_equal(getgroups(8, again), count);
	assert_memory_equal(again, groups, sizeof groups);
	expect_all_someones();
}

static void files_are_the_folders_owners(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(chmod(parent, 0711), 0);
	give_to_someone(folder);
	use_folder();
	use_folder(); /* with files that are there */
}

static void a_folder_that_is_made_is_its_parents_owners(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	give_to_someone(parent);
	use_folder();
}

/* A link of somebody's, to a folder that is not his: root is not to be led there. */
static void a_link_is_followed_with_its_makers_rights(void **state)
{
	(void)state;
	char secret[96];
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(parent, 0711), 0);
	snprintf(secret, sizeof secret, "%s/secret", parent);
	assert_int_equal(mkdir(secret, 0700), 0);
	assert_int_equal(symlink(secret, folder), 0);
	assert_int_equal(lchown(folder, SOMEONE, SOMEONE + 1), 0);
	expect_refused(folder, "Permission denied");
	assert_int_equal(geteuid(), 0);
	assert_int_equal(rmdir(secret), 0); /* it is empty */

	/* Root's own link leads to the owner of what it leads to. */
	assert_int_equal(mkdir(secret, 0700), 0);
	give_to_someone(secret);
	assert_int_equal(lchown(folder, 0, 0), 0);
	struct offline *offline = open_offline(folder);
	assert_int_equal(geteuid(), SOMEONE);
	offline_close(offline);
}

/* What goes wrong on the way gives root its rights back too. */
static void a_refusal_gives_the_rights_back(void **state)
{
	(void)state;
	char path[128];
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(parent, 0711), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	give_to_someone(folder);
	snprintf(path, sizeof path, "%s/state.db", folder);
	assert_int_equal(mkdir(path, 0700), 0); /* root's, and no file */
	expect_refused(folder, path);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_fresh_folder_is_made),
		TEST(the_journal_is_taken_in_first),
		TEST(all_or_none_are_put),
		TEST(a_running_broker_is_told),
		TEST(what_cannot_be_opened_is_named),
		TEST(a_path_may_be_relative),
		TEST(files_are_the_folders_owners),
		TEST(a_folder_that_is_made_is_its_parents_owners),
		TEST(a_link_is_followed_with_its_makers_rights),
		TEST(a_refusal_gives_the_rights_back),
	};
	return cmocka_run_group_tests_name("storage_offline", tests, NULL, NULL);
}
