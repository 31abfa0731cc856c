/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_error_test: documents that are refused, where and why, and documents that are meant to do harm.
 */
#include "account.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROOM         (2 * ACCOUNT_DOCUMENT_MAX)

/* The bytes with ' in place of ", so that documents can be read in C. */
static struct slice quoted(const char *text)
{
	static char out[ROOM];
	size_t len = strlen(text);
	assert_true(len < sizeof out);
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(text[i] == '\'' ? '"' : text[i]);
	return guarded(out, len);
}

static void expect_refused(struct slice document, struct account_error *error)
{
	memset(error, 'x', sizeof *error);
	struct account *account = account_read(document, error);
	if (account != NULL)
		fail_msg("taken: %.*s", (int)document.len, document.ptr);
	assert_true(memchr(error->path, '\0', sizeof error->path) != NULL);
	assert_true(memchr(error->found, '\0', sizeof error->found) != NULL);
	assert_true(memchr(error->wanted, '\0', sizeof error->wanted) != NULL);
	assert_true(utf8_valid(slice_of(error->path)) && utf8_valid(slice_of(error->found)));
	assert_true(error->path[0] == '$' && error->found[0] != '\0' && error->wanted[0] != '\0');
}

/* ---- places, what stands there, what should ---- */

#define LEVEL   "one topic level, not \"all\" or \"hearth\""
#define NAME    "a name of 1 to 256 bytes without control characters"
#define ROLES   "one of: admin, manager, resident, guest, device, service"
#define HASHES  "a hash as mosquitto_passwd writes it ($7$… or $6$…), or of a secret ($secret$…)"
#define NO_HASH "something that is no such hash"
#define LIST    "a list of 1 to 64 texts, or no such key at all"
#define ID      "a client id of 1 to 256 bytes, or how it begins and a * at the end, such as \"phone-*\""
#define FILTER  "an MQTT topic filter, such as \"greenhouse/#\""
#define KEYS                                                                                                           \
	"one of: username, role, location, device, locations, password, clientIds, certificate, disabled, expires, grants"
#define BOUND         "no such key: it is for the roles device and service"
#define RIGHTS        "one of: read, write, all"
#define WITH(keys)    "{'username':'n','role':'service'," keys "}"
#define GRANT(grants) WITH("'grants':[" grants "]")
#define DEVICE(keys)  "{'username':'n','role':'device'" keys "}"

static const struct row {
	const char *document, *path, *found, *wanted;
} rows[] = {
	/* JSON */
	{"", "$", "the end, at byte 0", "a JSON value"},
	{"{", "$", "the end, at byte 1", "a key in quotes or '}'"},
	{"{'username':'n',}", "$", "byte 16", "a key in quotes"},
	{"{'username':'n'} x", "$", "byte 17", "nothing more"},
	{"{'username':'\\u0000'}", "$", "byte 13", NULL},
	{"[]", "$", "something else", NULL},
	{"'hunter2'", "$", "something else", NULL},
	{"null", "$", "something else", NULL},
	{"7", "$", "something else", NULL},
	{"{}", "$.username", "nothing", NAME},
	/* keys */
	{WITH("'Password':'hunter2'"), "$.Password", "an unknown key", KEYS},
	{WITH("'pasword':'hunter2'"), "$.pasword", "an unknown key", KEYS},
	{WITH("'':1"), "$.", "an unknown key", KEYS},
	{WITH("'role':'admin'"), "$.role", "the same key again", "each key once"},
	{WITH("'rol\\u0065':'admin'"), "$.role", "the same key again", "each key once"},
	{WITH("'disabled':true,'disabled':true"), "$.disabled", "the same key again", "each key once"},
	/* username, role */
	{"{'role':'admin'}", "$.username", "nothing", NAME},
	{"{'username':'','role':'admin'}", "$.username", "\"\"", NAME},
	{"{'username':7,'role':'admin'}", "$.username", "7", NAME},
	{"{'username':null,'role':'admin'}", "$.username", "null", NAME},
	{"{'username':['x'],'role':'admin'}", "$.username", "a list", NAME},
	{"{'username':{'x':'hunter2'},'role':'admin'}", "$.username", "an object", NAME},
	{"{'username':'a\\nb','role':'admin'}", "$.username", "\"a?b\"", NAME},
	{"{'username':'a\\u007fb','role':'admin'}", "$.username", "\"a?b\"", NAME},
	{"{'username':'a\\u0085b','role':'admin'}", "$.username", "\"a??b\"", NAME},
	{"{'username':'n'}", "$.role", "nothing", ROLES},
	{"{'username':'n','role':'root'}", "$.role", "\"root\"", ROLES},
	{"{'username':'n','role':true}", "$.role", "true", ROLES},
	{"{'username':'n','role':'Admin'}", "$.role", "\"Admin\"", ROLES},
	/* location, device, locations */
	{DEVICE(""), "$.location", "nothing", "the location of the device"},
	{DEVICE(",'location':'hall'"), "$.device", "nothing", "the name of the device"},
	{DEVICE(",'device':'uno1'"), "$.location", "nothing", "the location of the device"},
	{DEVICE(",'location':'+','device':'a'"), "$.location", "\"+\"", "a location: " LEVEL},
	{DEVICE(",'location':'#','device':'a'"), "$.location", "\"#\"", "a location: " LEVEL},
	{DEVICE(",'location':'a/b','device':'a'"), "$.location", "\"a/b\"", "a location: " LEVEL},
	{DEVICE(",'location':'$SYS','device':'a'"), "$.location", "\"$SYS\"", "a location: " LEVEL},
	{DEVICE(",'location':'all','device':'a'"), "$.location", "\"all\"", "a location: " LEVEL},
	{DEVICE(",'location':'','device':'a'"), "$.location", "\"\"", "a location: " LEVEL},
	{DEVICE(",'location':'a','device':'+'"), "$.device", "\"+\"", "a device: " LEVEL},
	{DEVICE(",'location':'a','device':'b/#'"), "$.device", "\"b/#\"", "a device: " LEVEL},
	{DEVICE(",'location':'a','device':'all'"), "$.device", "\"all\"", "a device: " LEVEL},
	{DEVICE(",'location':'a','device':'hearth'"), "$.device", "\"hearth\"", "a device: " LEVEL},
	{DEVICE(",'location':'a','device':'$x'"), "$.device", "\"$x\"", "a device: " LEVEL},
	{DEVICE(",'location':'a','device':'\\ufffe'"), "$.device", "\"\xEF\xBF\xBE\"", "a device: " LEVEL},
	{DEVICE(",'location':'a','device':'b','locations':['c']"), "$.locations", "a list",
     "no such key: it is for the roles manager, resident and guest"},
	{WITH("'locations':['c']"), "$.locations", "a list",
     "no such key: it is for the roles manager, resident and guest"},
	{"{'username':'n','role':'admin','locations':['c']}", "$.locations", "a list",
     "no such key: it is for the roles manager, resident and guest"},
	{"{'username':'n','role':'guest','location':'c'}", "$.location", "a location",
     "\"locations\"; \"location\" is for the roles device and service"},
	{"{'username':'n','role':'guest','device':'c'}", "$.device", "a device", BOUND},
	{"{'username':'n','role':'guest','locations':[]}", "$.locations", "a list", LIST},
	{"{'username':'n','role':'guest','locations':'hall'}", "$.locations", "\"hall\"", LIST},
	{"{'username':'n','role':'guest','locations':['hall','all']}", "$.locations[1]", "\"all\"", "a location: " LEVEL},
	{"{'username':'n','role':'guest','locations':['+']}", "$.locations[0]", "\"+\"", "a location: " LEVEL},
	{"{'username':'n','role':'guest','locations':[{}]}", "$.locations[0]", "an object", "a location: " LEVEL},
	/* password: never repeated */
	{WITH("'password':'hunter2'"), "$.password", NO_HASH, HASHES},
	{WITH("'password':''"), "$.password", NO_HASH, HASHES},
	{WITH("'password':null"), "$.password", NO_HASH, HASHES},
	{WITH("'password':['hunter2']"), "$.password", NO_HASH, HASHES},
	{WITH("'password':'$7$101$hunter2$hunter2'"), "$.password", NO_HASH, HASHES},
	{WITH("'password':'$7$99999999$c2FsdHNhbHRzYWx0$AAAA'"), "$.password", NO_HASH, HASHES},
	/* clientIds, certificate, disabled, expires */
	{WITH("'clientIds':[]"), "$.clientIds", "a list", LIST},
	{WITH("'clientIds':'phone'"), "$.clientIds", "\"phone\"", LIST},
	{WITH("'clientIds':['a','']"), "$.clientIds[1]", "\"\"", ID},
	{WITH("'clientIds':['a*b']"), "$.clientIds[0]", "\"a*b\"", ID},
	{WITH("'clientIds':['**']"), "$.clientIds[0]", "\"**\"", ID},
	{WITH("'clientIds':[1.5]"), "$.clientIds[0]", "1.5", ID},
	{WITH("'certificate':1"), "$.certificate", "1", "true or false"},
	{WITH("'disabled':'yes'"), "$.disabled", "\"yes\"", "true or false"},
	{WITH("'disabled':null"), "$.disabled", "null", "true or false"},
	{WITH("'expires':'tomorrow'"), "$.expires", "\"tomorrow\"", "a time such as \"2027-01-01T00:00:00Z\""},
	{WITH("'expires':1893456000"), "$.expires", "1893456000", "a time such as \"2027-01-01T00:00:00Z\""},
	{WITH("'expires':'2027-02-30T00:00:00Z'"), "$.expires", "\"2027-02-30T00:00:00Z\"",
     "a time such as \"2027-01-01T00:00:00Z\""},
	/* grants */
	{WITH("'grants':{}"), "$.grants", "an object", "a list of at most 256 grants and denials"},
	{GRANT("'a'"), "$.grants[0]", "\"a\"", "such as {\"allow\":\"read\",\"topic\":\"greenhouse/#\"}"},
	{GRANT("{}"), "$.grants[0].allow", "nothing", "allow or deny, with one of: read, write, all"},
	{GRANT("{'topic':'a'}"), "$.grants[0].allow", "nothing", "allow or deny, with one of: read, write, all"},
	{GRANT("{'allow':'read'}"), "$.grants[0].topic", "nothing", FILTER},
	{GRANT("{'allow':'read','topic':'a'},{'allow':'execute','topic':'a'}"), "$.grants[1].allow", "\"execute\"", RIGHTS},
	{GRANT("{'deny':3,'topic':'a'}"), "$.grants[0].deny", "3", RIGHTS},
	{GRANT("{'allow':'read','deny':'write','topic':'a'}"), "$.grants[0].deny", "a second right",
     "one topic, and one of allow and deny"},
	{GRANT("{'allow':'read','allow':'read','topic':'a'}"), "$.grants[0].allow", "a second right",
     "one topic, and one of allow and deny"},
	{GRANT("{'allow':'read','topic':'a','topic':'b'}"), "$.grants[0].topic", "the same key again",
     "one topic, and one of allow and deny"},
	{GRANT("{'allow':'read','topic':'a','qos':1}"), "$.grants[0].qos", "an unknown key", "one of: allow, deny, topic"},
	{GRANT("{'allow':'read','topic':''}"), "$.grants[0].topic", "\"\"", FILTER},
	{GRANT("{'allow':'read','topic':7}"), "$.grants[0].topic", "7", FILTER},
	{GRANT("{'allow':'read','topic':'a/#/b'}"), "$.grants[0].topic", "\"a/#/b\"", FILTER},
	{GRANT("{'allow':'read','topic':'a+'}"), "$.grants[0].topic", "\"a+\"", FILTER},
	{GRANT("{'allow':'read','topic':'+%u'}"), "$.grants[0].topic", "\"+%u\"", FILTER},
	{GRANT("{'allow':'read','topic':'a\\tb'}"), "$.grants[0].topic", "\"a?b\"", FILTER},
	{GRANT("{'allow':'read','topic':'$share/g/a'}"), "$.grants[0].topic", "a shared subscription",
     "the filter behind $share/GROUP/"},
	{GRANT("{'deny':'read','topic':'$share'}"), "$.grants[0].topic", "a shared subscription",
     "the filter behind $share/GROUP/"},
	{GRANT("{'allow':'read','topic':'%l/#'}"), "$.grants[0].topic", "\"%l/#\"",
     "no %l, since the account has no location, or several"},
	{GRANT("{'allow':'read','topic':'a/%d'}"), "$.grants[0].topic", "\"a/%d\"",
     "no %d, since the account has no device"},
	{GRANT("{'allow':'read','topic':'$%c/a'}"), "$.grants[0].topic", "\"$%c/a\"",
     "a first level that begins with $ written out, without %u or %c"},
	{GRANT("{'allow':'read','topic':'$SYS%u'}"), "$.grants[0].topic", "\"$SYS%u\"",
     "a first level that begins with $ written out, without %u or %c"},
	{"{'username':'n','role':'guest','locations':['a','b'],'grants':[{'allow':'read','topic':'%l'}]}",
     "$.grants[0].topic", "\"%l\"", "no %l, since the account has no location, or several"},
	{"{'username':'a/b','role':'service','grants':[{'allow':'read','topic':'x/%u'}]}", "$.grants[0].topic", "\"x/%u\"",
     "no %u, since the user name has one of / + #"},
	{"{'username':'+','role':'service','grants':[{'allow':'read','topic':'%u'}]}", "$.grants[0].topic", "\"%u\"",
     "no %u, since the user name has one of / + #"},
	{"{'username':'#','role':'service','grants':[{'deny':'read','topic':'a/%u'}]}", "$.grants[0].topic", "\"a/%u\"",
     "no %u, since the user name has one of / + #"},
	{"{'username':'$SYS','role':'service','grants':[{'allow':'read','topic':'%u/#'}]}", "$.grants[0].topic", "\"%u/#\"",
     "no %u in the first level, since the user name begins with $"},
	/* a device has no way out */
	{DEVICE(",'location':'a','device':'b','grants':[{'deny':'read','topic':'#'},{'allow':'read','topic':'a/b/#'}]"),
     "$.grants[1].allow", "a grant to a device",
     "only denials: a device may do what its role says; what needs more is an account of role service"},
	{DEVICE(",'grants':[{'allow':'all','topic':'#'}],'location':'a','device':'b'"), "$.grants[0].allow",
     "a grant to a device",
     "only denials: a device may do what its role says; what needs more is an account of role service"},
};

static void says_where_and_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct account_error error;
		expect_refused(quoted(row->document), &error);
		if (strcmp(error.path, row->path) != 0 || strcmp(error.found, row->found) != 0 ||
		    (row->wanted != NULL && strcmp(error.wanted, row->wanted) != 0))
			fail_msg("%s\n%s: found %s; wanted %s", row->document, error.path, error.found, error.wanted);
		/* Whatever stands where a password may. */
		assert_null(strstr(error.path, "hunter2"));
		assert_null(strstr(error.found, "hunter2"));
		assert_null(strstr(error.wanted, "hunter2"));
	}
}

/* What is wrong with JSON is said without the text around it. */
static void broken_json_gives_no_password_away(void **state)
{
	static const char document[] = "{'username':'n','role':'guest','password':'hunter2'}";
	struct account_error error;
	char broken[sizeof document];
	(void)state;
	for (size_t i = 0; i < sizeof document - 1; i++) {
		memcpy(broken, document, sizeof document);
		broken[i] = '\x01';
		expect_refused(quoted(broken), &error);
		assert_null(strstr(error.found, "hunt"));
		assert_null(strstr(error.found, "nter2"));
		expect_refused(guarded(quoted(document).ptr, i), &error);
	}
}

/* ---- bounds ---- */

static void put(char *at, const char *text)
{
	struct slice bytes = slice_of(text); /* without its NUL */
	memcpy(at, bytes.ptr, bytes.len);
}

/* `head`, `count` times `item` with commas between, `tail`. */
static const char *repeated(const char *head, const char *item, size_t count, const char *tail)
{
	static char out[ROOM];
	char *at = stpcpy(out, head);
	for (size_t i = 0; i < count; i++) {
		assert_true((size_t)(at - out) + strlen(item) + strlen(tail) + 2 < sizeof out);
		at = stpcpy(stpcpy(at, i > 0 ? "," : ""), item);
	}
	stpcpy(at, tail);
	return out;
}

static void expect_taken(const char *document, bool taken)
{
	struct account_error error;
	struct account *account = account_read(quoted(document), &error);
	if ((account != NULL) != taken)
		fail_msg("%.60s: %s: found %s", document, error.path, error.found);
	account_free(account);
}

static void holds_its_bounds(void **state)
{
	static const char grant[] = "{'deny':'read','topic':'a/+/#'}";
	char name[ACCOUNT_NAME_MAX + 2], document[600];
	(void)state;
	for (size_t len = ACCOUNT_NAME_MAX; len <= ACCOUNT_NAME_MAX + 1; len++) {
		memset(name, 'n', len);
		name[len] = '\0';
		snprintf(document, sizeof document, "{'username':'%s','role':'guest'}", name);
		expect_taken(document, len <= ACCOUNT_NAME_MAX);
	}
	expect_taken(repeated("{'username':'n','role':'service','grants':[", grant, ACCOUNT_GRANTS_MAX, "]}"), true);
	expect_taken(repeated("{'username':'n','role':'service','grants':[", grant, ACCOUNT_GRANTS_MAX + 1, "]}"), false);
	expect_taken(repeated("{'username':'n','role':'manager','locations':[", "'a'", ACCOUNT_LIST_MAX, "]}"), true);
	expect_taken(repeated("{'username':'n','role':'manager','locations':[", "'a'", ACCOUNT_LIST_MAX + 1, "]}"), false);
	expect_taken(repeated("{'username':'n','role':'guest','clientIds':[", "'a*'", ACCOUNT_LIST_MAX, "]}"), true);
	expect_taken(repeated("{'username':'n','role':'guest','clientIds':[", "'a*'", ACCOUNT_LIST_MAX + 1, "]}"), false);
}

static void a_document_has_a_longest_length(void **state)
{
	static char document[ACCOUNT_DOCUMENT_MAX + 2];
	struct account_error error;
	(void)state;
	memset(document, ' ', sizeof document);
	put(document, "{\"username\":\"n\",\"role\":\"guest\"}");
	struct account *account = account_read(guarded(document, ACCOUNT_DOCUMENT_MAX), &error);
	assert_non_null(account);
	account_free(account);
	expect_refused(guarded(document, ACCOUNT_DOCUMENT_MAX + 1), &error);
	assert_string_equal(error.found, "a longer document");
}

/* Names make a filter longer than the document is; an account may not be made huge by it. */
static void names_put_in_make_no_endless_filter(void **state)
{
	static char document[ROOM];
	char name[ACCOUNT_NAME_MAX + 1] = "";
	struct account_error error;
	(void)state;
	memset(name, 'n', ACCOUNT_NAME_MAX);
	for (size_t times = 255; times <= 256; times++) {
		char *at =
			document + sprintf(document, "{'username':'%s','role':'service','grants':[{'deny':'read','topic':'", name);
		for (size_t i = 0; i < times; i++)
			at = stpcpy(at, "%u");
		stpcpy(at, "'}]}");
		expect_taken(document, times == 255);
	}
	expect_refused(quoted(document), &error);
	assert_string_equal(error.wanted, "a filter that has at most 65535 bytes with its names put in");
	assert_string_equal(error.path, "$.grants[0].topic");
	assert_non_null(strstr(error.found, "…"));
}

/* ---- harm ---- */

static void bad_bytes_and_depth_are_refused(void **state)
{
	static const char *const bad[] = {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\x80", "\xF4\x90\x80\x80"};
	static char deep[ACCOUNT_DOCUMENT_MAX];
	struct account_error error;
	char document[128];
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(document, sizeof document, "{'username':'a%s','role':'guest'}", bad[i]);
		expect_refused(quoted(document), &error);
		assert_string_equal(error.found, "bytes that are not UTF-8, or NUL");
	}
	expect_refused((struct slice){"{\"username\":\"a\0b\",\"role\":\"guest\"}", 33}, &error);
	expect_refused((struct slice){"{\"username\":\"a\",\"role\":\"guest\"}\0", 32}, &error);
	memset(deep, '[', sizeof deep);
	expect_refused(guarded(deep, sizeof deep), &error);
	put(deep, "{\"grants\":");
	expect_refused(guarded(deep, sizeof deep), &error);
	for (size_t i = 0; i + 5 <= sizeof deep; i += 5)
		put(deep + i, "{\"a\":");
	expect_refused(guarded(deep, sizeof deep), &error);
	expect_refused((struct slice){NULL, 0}, &error);
}

static void huge_keys_and_values_are_cut(void **state)
{
	static char document[ROOM], filler[20001];
	struct account_error error;
	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		memset(filler, 'k', sizeof filler);
		for (size_t i = shift; i + 3 < sizeof filler; i += 3)
			put(filler + i, "거");
		filler[(sizeof filler - 4) / 3 * 3 + shift] = '\0';
		snprintf(document, sizeof document, WITH("'%s':1"), filler);
		expect_refused(quoted(document), &error);
		assert_non_null(strstr(error.path, "…"));
		snprintf(document, sizeof document, "{'username':'n','role':'%s'}", filler);
		expect_refused(quoted(document), &error);
		assert_non_null(strstr(error.found, "…"));
	}
	expect_refused(quoted(WITH("'a\\nb\\u0085':1")), &error);
	assert_string_equal(error.path, "$.a?b??");
}

/* Any byte changed, left out or doubled: refused with an error, or an account that prints and reads again. */
static void mutated_documents_do_no_harm(void **state)
{
	static const char document[] =
		"{'username':'anna','role':'service','location':'hall','device':'x','clientIds':['a*','b'],'disabled':false,"
		"'expires':'2027-01-01T00:00:00Z','grants':[{'allow':'read','topic':'%u/%c/%l/%d/#'},{'deny':'all','topic':'+/"
		"a'}]}";
	static const char bytes[] = "\"\\{}[]:,+#/$%*\x01\x7F\xFF 0eu\0";
	char mutant[sizeof document + 1];
	size_t taken = 0;
	(void)state;
	for (size_t i = 0; i < sizeof document - 1; i++) {
		for (size_t b = 0; b < sizeof bytes + 1; b++) {
			struct slice text = quoted(document);
			memcpy(mutant, text.ptr, text.len);
			if (b < sizeof bytes - 1)
				mutant[i] = bytes[b];
			else if (b == sizeof bytes - 1)
				memmove(mutant + i, mutant + i + 1, --text.len - i);
			else
				memmove(mutant + i + 1, mutant + i, text.len++ - i);
			struct account_error error;
			struct account *account = account_read(guarded(mutant, text.len), &error);
			if (account == NULL) {
				expect_refused(guarded(mutant, text.len), &error);
				continue;
			}
			char *printed = account_print(account, true);
			account_free(account);
			account = account_read(guarded_text(printed), &error);
			assert_non_null(account);
			account_free(account);
			free(printed);
			taken++;
		}
	}
	assert_true(taken > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_where_and_why),
		cmocka_unit_test(broken_json_gives_no_password_away),
		cmocka_unit_test(holds_its_bounds),
		cmocka_unit_test(a_document_has_a_longest_length),
		cmocka_unit_test(names_put_in_make_no_endless_filter),
		cmocka_unit_test(bad_bytes_and_depth_are_refused),
		cmocka_unit_test(huge_keys_and_values_are_cut),
		cmocka_unit_test(mutated_documents_do_no_harm),
	};
	return cmocka_run_group_tests_name("account_error", tests, NULL, NULL);
}
