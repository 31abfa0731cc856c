/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_test: documents that are accounts and documents that are none, what an account says of itself, and the table of
 * all of them. Who may do what is in account_access_test.
 */
#include "account.h"
#include "guard.h"
#include "password.h"
#include "value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SEED         UINT64_C(0x0123456789ABCDEF)

/* A stored form as mosquitto_passwd writes it, and one of Hearth's own secrets; of nobody's password. */
#define HASH                                                                                                           \
	"$7$101$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define SECRET "$secret$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* A document written with ' in place of ". */
static struct slice quoted(const char *text)
{
	static char out[2 * ACCOUNT_DOCUMENT_MAX];
	size_t len = strlen(text);
	assert_true(len < sizeof out);
	for (size_t i = 0; i < len; i++) {
		out[i] = text[i];
		if (text[i] == '\'')
			out[i] = '"';
	}
	return guarded(out, len);
}

static struct account *must_read(const char *text)
{
	struct account_error error;
	struct account *account = account_read(quoted(text), &error);
	if (account == NULL)
		fail_msg("%s\n%s: found %s; wanted %s", text, error.path, error.found, error.wanted);
	return account;
}

static void expect_slice(struct slice found, const char *wanted)
{
	if (!slice_is(found, wanted))
		fail_msg("\"%.*s\", wanted \"%s\"", (int)found.len, found.ptr, wanted);
}

/* ---- documents ---- */

static void says_what_its_document_says(void **state)
{
	struct account *account = must_read(
		"{'username':'anna','role':'manager','locations':['거실'],'password':'" HASH
		"','clientIds':['phone-*','laptop'],'certificate':true,'disabled':true,'expires':'2027-01-01T00:00:00Z',"
		"'grants':[{'allow':'read','topic':'greenhouse/#'},{'topic':'a','deny':'write'}]}");
	int64_t expires;
	(void)state;
	assert_true(time_parse(slice_of("2027-01-01T00:00:00Z"), &expires));
	expect_slice(account_name(account), "anna");
	assert_int_equal(account_role(account), ROLE_MANAGER);
	expect_slice(account_password(account), HASH);
	expect_slice(account_location(account), "거실");
	expect_slice(account_device(account), "");
	assert_true(account_takes_certificate(account));
	assert_true(account_disabled(account));
	assert_true(account_expires_us(account) == expires);
	account_free(account);
}

static void leaves_out_what_is_not_said(void **state)
{
	struct account *account = must_read("{'username':'n','role':'service'}");
	(void)state;
	expect_slice(account_password(account), "");
	expect_slice(account_location(account), "");
	assert_false(account_takes_certificate(account));
	assert_false(account_disabled(account));
	assert_true(account_expires_us(account) == INT64_MAX);
	assert_true(account_allows_client_id(account, slice_of("any")));
	assert_true(account_allows_client_id(account, slice_of("")));
	account_free(account);

	account = must_read("{'username':'n','role':'guest','locations':['a','b']}");
	expect_slice(account_location(account), "");
	account_free(account);

	account = must_read("{'role':'device','device':'uno1','location':'hall','username':'hall/uno1'}");
	expect_slice(account_location(account), "hall");
	expect_slice(account_device(account), "uno1");
	account_free(account);
	account_free(NULL);
}

static void is_usable_until_it_expires(void **state)
{
	struct account *account = must_read("{'username':'n','role':'guest','expires':'1970-01-01T00:00:01Z'}");
	(void)state;
	assert_true(account_usable(account, 999999));
	assert_false(account_usable(account, 1000000));
	account_free(account);
	account = must_read("{'username':'n','role':'guest'}");
	assert_true(account_usable(account, INT64_MAX - 1));
	account_free(account);
	account = must_read("{'username':'n','role':'guest','disabled':true}");
	assert_false(account_usable(account, 0));
	account_free(account);
}

static void knows_its_client_ids(void **state)
{
	static const struct {
		const char *id;
		bool allowed;
	} rows[] = {
		{"phone-", true},    {"phone-1", true},  {"phone-1/+#", true}, {"phone", false},
		{"xphone-1", false}, {"Phone-1", false}, {"laptop", true},     {"laptop2", false},
		{"lapto", false},    {"", false},        {"*", false},         {"phone*", false},
	};
	struct account *account = must_read("{'username':'n','role':'guest','clientIds':['phone-*','laptop']}");
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (account_allows_client_id(account, guarded_text(rows[i].id)) != rows[i].allowed)
			fail_msg("\"%s\"", rows[i].id);
	}
	assert_false(account_allows_client_id(account, (struct slice){"laptop\0", 7}));
	assert_false(account_allows_client_id(account, (struct slice){NULL, 0}));
	account_free(account);

	account = must_read("{'username':'n','role':'guest','clientIds':['*']}");
	assert_true(account_allows_client_id(account, guarded_text("any")));
	assert_true(account_allows_client_id(account, guarded_text("")));
	account_free(account);
}

static void names_roles(void **state)
{
	enum role role;
	(void)state;
	for (int i = 0; i < ROLE_COUNT; i++) {
		assert_true(role_parse(slice_of(role_name((enum role)i)), &role));
		assert_int_equal(role, i);
	}
	assert_string_equal(role_name(ROLE_DEVICE), "device");
	assert_false(role_parse(slice_of("Admin"), &role));
	assert_false(role_parse(slice_of(""), &role));
	assert_false(role_parse(slice_of("admins"), &role));
}

/* ---- round trip ---- */

static void prints_what_it_read(void **state)
{
	static const char *const documents[] = {
		"{'username':'anna','role':'admin'}",
		"{'username':'anna','role':'admin','password':'" HASH "'}",
		"{'password':'" SECRET "','username':'hall/uno1','role':'device','location':'hall','device':'uno1'}",
		" { 'role' : 'guest' , 'username' : 'a\\u0062\\/c\\\\ \\ud83d\\ude00' , 'locations' : [ '거실' ] } ",
		"{'username':'x','role':'service','disabled':false,'certificate':true,'clientIds':['a','b*'],"
		"'expires':'2026-11-22T10:00:00+09:00','grants':[{'allow':'all','topic':'%u/%c/"
		"#'},{'deny':'read','topic':'#'}]}",
		"{'username':'x','role':'service','grants':[]}",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++) {
		struct account *account = must_read(documents[i]);
		char *with = account_print(account, true), *without = account_print(account, false);
		struct account_error error;
		struct account *again = account_read(guarded_text(with), &error);
		assert_non_null(again);
		char *printed = account_print(again, true), *public = account_print(again, false);
		assert_string_equal(printed, with);
		assert_string_equal(public, without);
		assert_true(slice_equal(account_name(again), account_name(account)));
		assert_true(slice_equal(account_password(again), account_password(account)));
		assert_null(strstr(without, "password"));
		assert_null(strstr(without, "$7$"));
		if (account_password(account).len == 0)
			assert_string_equal(with, without);
		free(with);
		free(without);
		free(printed);
		free(public);
		account_free(account);
		account_free(again);
	}
}

static void prints_compactly(void **state)
{
	struct account *account = must_read("{ 'username' : 'anna', 'password' : '" HASH "', 'role' : 'guest' }");
	char *with = account_print(account, true), *without = account_print(account, false);
	(void)state;
	assert_string_equal(with, "{\"username\":\"anna\",\"role\":\"guest\",\"password\":\"" HASH "\"}");
	assert_string_equal(without, "{\"username\":\"anna\",\"role\":\"guest\"}");
	free(with);
	free(without);
	account_free(account);
}

/* ---- the table ---- */

static struct account *account_named(const char *name, const char *role)
{
	char text[512];
	snprintf(text, sizeof text, "{'username':'%s','role':'%s'}", name, role);
	return must_read(text);
}

static void keeps_the_newest_of_a_name(void **state)
{
	struct account_table *table = account_table_new(SEED);
	(void)state;
	assert_null(account_find(table, slice_of("anna")));
	assert_false(account_remove(table, slice_of("anna")));
	assert_int_equal(account_count(table), 0);
	assert_true(account_put(table, account_named("anna", "guest")));
	assert_true(account_put(table, account_named("bert", "guest")));
	assert_true(account_put(table, account_named("anna", "admin")));
	assert_int_equal(account_count(table), 2);
	assert_int_equal(account_role(account_find(table, guarded_text("anna"))), ROLE_ADMIN);
	assert_ptr_equal(account_at(table, 0), account_find(table, slice_of("anna")));
	assert_true(account_put(table, account_named("anna", "service")));
	assert_int_equal(account_role(account_at(table, 0)), ROLE_SERVICE);
	assert_null(account_find(table, slice_of("")));
	assert_null(account_find(table, (struct slice){NULL, 0}));
	assert_null(account_find(table, slice_of("ann")));
	assert_null(account_find(table, (struct slice){"anna\0", 5}));
	assert_true(account_remove(table, guarded_text("anna")));
	assert_null(account_find(table, slice_of("anna")));
	expect_slice(account_name(account_at(table, 0)), "bert");
	assert_int_equal(account_count(table), 1);
	account_table_free(table);
	account_table_free(NULL);
}

static void sorts_by_bytes(void **state)
{
	static const char *const sorted[] = {"A", "Z", "a", "a/b", "aa", "ab", "b", "거", "거실"};
	static const size_t order[] = {8, 3, 0, 6, 1, 7, 5, 2, 4};
	struct account_table *table = account_table_new(SEED);
	(void)state;
	for (size_t i = 0; i < COUNT(order); i++) {
		assert_true(account_put(table, account_named(sorted[order[i]], "guest")));
		account_at(table, 0); /* sorts in between */
	}
	for (size_t i = 0; i < COUNT(sorted); i++)
		expect_slice(account_name(account_at(table, i)), sorted[i]);
	assert_true(account_remove(table, slice_of(sorted[0])));
	for (size_t i = 1; i < COUNT(sorted); i++)
		expect_slice(account_name(account_at(table, i - 1)), sorted[i]);
	account_table_free(table);
}

#define MANY 20000

/* Names of all lengths: the hash takes sixteen bytes at a time. */
static void many_name(char out[static 64], size_t n)
{
	snprintf(out, 64, "%.*s%zu", (int)(n % 23), "livingroom-of-the-house/", n);
}

static void finds_each_of_many(void **state)
{
	struct account_table *table = account_table_new(SEED);
	char name[64];
	(void)state;
	for (size_t n = 0; n < MANY; n++) {
		many_name(name, n);
		assert_true(account_put(table, account_named(name, "guest")));
	}
	assert_int_equal(account_count(table), MANY);
	/* Removed in another order than they came, and some put back. */
	for (size_t n = 0; n < MANY; n += 3) {
		many_name(name, n);
		assert_true(account_remove(table, guarded_text(name)));
		assert_false(account_remove(table, guarded_text(name)));
	}
	for (size_t n = 0; n < MANY; n += 6) {
		many_name(name, n);
		assert_true(account_put(table, account_named(name, "admin")));
	}
	for (size_t n = 0; n < MANY; n++) {
		many_name(name, n);
		const struct account *account = account_find(table, guarded_text(name));
		assert_true((account != NULL) == (n % 3 != 0 || n % 6 == 0));
		if (account != NULL)
			expect_slice(account_name(account), name);
	}
	for (size_t n = 1; n < account_count(table); n++) {
		struct slice a = account_name(account_at(table, n - 1)), b = account_name(account_at(table, n));
		int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
		assert_true(order < 0 || (order == 0 && a.len < b.len));
	}
	for (size_t n = 0; n < MANY; n++) {
		many_name(name, n);
		account_remove(table, guarded_text(name));
	}
	assert_int_equal(account_count(table), 0);
	account_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_its_document_says),
		cmocka_unit_test(leaves_out_what_is_not_said),
		cmocka_unit_test(is_usable_until_it_expires),
		cmocka_unit_test(knows_its_client_ids),
		cmocka_unit_test(names_roles),
		cmocka_unit_test(prints_what_it_read),
		cmocka_unit_test(prints_compactly),
		cmocka_unit_test(keeps_the_newest_of_a_name),
		cmocka_unit_test(sorts_by_bytes),
		cmocka_unit_test(finds_each_of_many),
	};
	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
