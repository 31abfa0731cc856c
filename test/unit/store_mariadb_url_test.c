/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_url_test: which texts are a MariaDB store's place, what they come to, and that no message ever repeats any
 * of a text, which may hold a password.
 */
#include "store_mariadb_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WANTED       "wanted mariadb://USER@HOST[:PORT][,HOST…]/DATABASE, such as mariadb://hearth@localhost/hearth"

#define TEN(text)   text text text text text text text text text text
#define SIXTEEN     "//h@1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16/d"
#define SIXTY(text) TEN(text) TEN(text) TEN(text) TEN(text) TEN(text) TEN(text)

/* What a text came to: "user|host,host|database", a host being "name:port" or "socket" or "". Valid until the next call. */
static const char *describe(const struct mariadb_url *url)
{
	static char text[4096];
	size_t len = (size_t)snprintf(text, sizeof text, "%s|", url->user);

	for (size_t i = 0; i < url->host_count; i++) {
		const struct mariadb_host *host = &url->hosts[i];
		const char *comma = i > 0 ? "," : "";
		assert_true((host->name != NULL) == (host->port != 0));
		assert_false(host->name && host->socket);
		if (host->name)
			len += (size_t)snprintf(text + len, sizeof text - len, "%s%s:%u", comma, host->name, host->port);
		else
			len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", comma, host->socket ? host->socket : "");
	}
	snprintf(text + len, sizeof text - len, "|%s", url->database);
	return text;
}

/* Parses a copy that ends where its memory ends, for the address sanitizer to see. */
static bool parse(const char *text, size_t len, struct mariadb_url *url, char error[512])
{
	char *copy = malloc(len + 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	copy[len] = '\0';
	error[0] = '\0';
	bool good = mariadb_url_parse(copy, url, error, 512);
	free(copy);
	return good;
}

static void reads_what_is_well_formed(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{"//hearth@localhost/hearth", "hearth||hearth"},
		{"//hearth@localhost:3307/hearth", "hearth|localhost:3307|hearth"},
		{"//user@host1:3306,host2/hearth", "user|host1:3306,host2:3306|hearth"},
		{"//h@db1,db2:1,db3:65535/d", "h|db1:3306,db2:1,db3:65535|d"},
		{"//h@127.0.0.1/d", "h|127.0.0.1:3306|d"},
		{"//h@[::1]/d", "h|::1:3306|d"},
		{"//h@[2001:db8::7]:3310,localhost/d", "h|2001:db8::7:3310,|d"},
		{"//hearth@/run/mysqld/mysqld.sock/hearth", "hearth|/run/mysqld/mysqld.sock|hearth"},
		{"//h@/a/b,db-1.lan,/c/d/d", "h|/a/b,db-1.lan:3306,/c/d|d"},
		{"//사람@db/우리_집-1$", "사람|db:3306|우리_집-1$"},
		{"//a!#$%&*()[]{};'\"\\?=@db/d", "a!#$%&*()[]{};'\"\\?=|db:3306|d"},
		{"//" TEN("1234567890") TEN("12") "12345678@db/d", TEN("1234567890") TEN("12") "12345678|db:3306|d"},
		{"//h@" SIXTY("abc.") "abcdefghij.lm/d", "h|" SIXTY("abc.") "abcdefghij.lm:3306|d"},
		{"//h@db/" SIXTY("d") "dddd", "h|db:3306|" SIXTY("d") "dddd"},
		{"//h@db/" SIXTY("집") "집집집집", "h|db:3306|" SIXTY("집") "집집집집"},
		{"//h@/" TEN("1234567890") "123456/d", "h|/" TEN("1234567890") "123456|d"},
		{SIXTEEN, "h|1:3306,2:3306,3:3306,4:3306,5:3306,6:3306,7:3306,8:3306,9:3306,10:3306,11:3306,12:3306,13:3306,14:"
	              "3306,15:3306,16:3306|d"},
	};
	struct mariadb_url url;
	char error[512];
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = parse(rows[i].text, strlen(rows[i].text), &url, error);
		if (!good || strcmp(describe(&url), rows[i].wanted) != 0)
			fail_msg("\"%s\": %s", rows[i].text, good ? describe(&url) : error);
		mariadb_url_free(&url);
	}
}

static void says_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{"", "there is no // behind mariadb:"},
		{"/", "there is no // behind mariadb:"},
		{"hearth@localhost/hearth", "there is no // behind mariadb:"},
		{"//", "there is no USER@"},
		{"//localhost/hearth", "there is no USER@"},
		{"//@", "there is no /DATABASE"},
		{"//@localhost/hearth", "there is no user before the @"},
		{"//hearth:@db/d", "a password has no place here"},
		{"//hearth:sesame@localhost/hearth", "a password has no place here"},
		{"//hearth:ses@me@localhost/hearth", "a password has no place here"},
		{"//hearth:sesame/hearth", "there is no USER@"},
		{"//a@b@db/d", "there is more than one @"},
		{"//a b@db/d", "the user's name holds"},
		{"//a/b@db/d", "the user's name holds"},
		{"//a,b@db/d", "the user's name holds"},
		{"//a\x01@db/d", "the user's name holds"},
		{"//a\x7F@db/d", "the user's name holds"},
		{"//\xFF@db/d", "the user's name holds"},
		{"//" TEN("1234567890") TEN("12") "123456789@db/d", "longer than 128 bytes"},
		{"//h@db", "there is no /DATABASE"},
		{"//h@db/", "there is no database behind the last /"},
		{"//h@db/d?password=sesame", "the database's name holds"},
		{"//h@db/a.b", "the database's name holds"},
		{"//h@db/a\nb", "the database's name holds"},
		{"//h@db/\xED\xA0\x80", "the database's name holds"},
		{"//h@/run/mysqld/mysqld.sock", "the database's name holds"},
		{"//h@db/" SIXTY("d") "ddddd", "longer than 64 characters"},
		{"//h@db/" SIXTY("집") "집집집집집", "longer than 64 characters"},
		{"//h@/d", "host 1: it has no name"},
		{"//h@,db/d", "host 1: it has no name"},
		{"//h@db,/d", "host 2: it has no name"},
		{"//h@db,,db/d", "host 2: it has no name"},
		{"//h@:3306/d", "host 1: it has no name"},
		{"//h@db:/d", "host 1: its port"},
		{"//h@db:0/d", "host 1: its port"},
		{"//h@db:03306/d", "host 1: its port"},
		{"//h@db:65536/d", "host 1: its port"},
		{"//h@db:99999999999/d", "host 1: its port"},
		{"//h@db:-1/d", "host 1: its port"},
		{"//h@db:+1/d", "host 1: its port"},
		{"//h@db:1x/d", "host 1: its port"},
		{"//h@db1,db2:sesame/d", "host 2: its port"},
		{"//h@::1/d", "host 1: an IPv6 address is wanted in [brackets]"},
		{"//h@[::1/d", "host 1: there is no ] to its ["},
		{"//h@[/d", "host 1: there is no ] to its ["},
		{"//h@[]/d", "host 1: there is no IPv6 address"},
		{"//h@[db]/d", "host 1: there is no IPv6 address"},
		{"//h@[127.0.0.1]/d", "host 1: there is no IPv6 address"},
		{"//h@[::1]3306/d", "host 1: something stands behind the ]"},
		{"//h@[::1]:/d", "host 1: its port"},
		{"//h@[" TEN("12345:") "]/d", "host 1: there is no IPv6 address"},
		{"//h@집.lan/d", "host 1: it is no name of a host"},
		{"//h@-db/d", "host 1: it is no name of a host"},
		{"//h@.db/d", "host 1: it is no name of a host"},
		{"//h@d b/d", "host 1: it is no name of a host"},
		{"//h@db;user=root/d", "host 1: it is no name of a host"},
		{"//h@" SIXTY("abc.") "abcdefghij.lmn/d", "host 1: it is no name of a host"},
		{"//h@db/x/d", "host 1: it is no name of a host"},
		{"//h@//d", "host 1: it is no path of a socket"},
		{"//h@/a b/d", "host 1: it is no path of a socket"},
		{"//h@/run/m.sock:3306/d", "host 1: a socket has no port"},
		{"//h@/" TEN("1234567890") "1234567/d", "host 1: a socket's path is at most 107 bytes"},
		{"//h@1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17/d", "there are more than 16 hosts"},
	};
	struct mariadb_url url;
	char error[512];
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = parse(rows[i].text, strlen(rows[i].text), &url, error);
		mariadb_url_free(&url);
		if (good || !strstr(error, rows[i].wanted))
			fail_msg("\"%s\": %s", rows[i].text, good ? "taken" : error);
		assert_true(strlen(error) > strlen(WANTED));
		assert_string_equal(error + strlen(error) - strlen(WANTED), WANTED);
		assert_null(strstr(error, "sesame"));
		assert_null(strstr(error, "ses@me"));
	}
}

static void names_the_option_for_a_password(void **state)
{
	struct mariadb_url url;
	char error[512];
	(void)state;

	assert_false(mariadb_url_parse("//hearth:sesame@localhost/hearth", &url, error, sizeof error));
	assert_non_null(strstr(error, "plugin_opt_store_password_file"));
	mariadb_url_free(&url);
	assert_false(mariadb_url_parse("//hearth:sesame@localhost/hearth", &url, error, 10)); /* a short line is cut */
	assert_int_equal(strlen(error), 9);
	mariadb_url_free(&url);
}

/* A word that appears in no message of ours wherever it stands. */
static void never_repeats_the_text(void **state)
{
	static const char whole[] = "//Q7z@Q7z:1,[::1],/Q7z/Q7z";
	struct mariadb_url url;
	char text[64], error[512];
	(void)state;

	for (size_t at = 0; at < sizeof whole; at++) {
		static const char bytes[] = "Q7z:@/,[] \x01\xFF";
		for (size_t b = 0; b < sizeof bytes; b++) { /* the NUL too */
			memcpy(text, whole, sizeof whole);
			text[at] = bytes[b];
			text[sizeof whole - 1] = '\0';
			if (!parse(text, strlen(text), &url, error) && strstr(error, "Q7z"))
				fail_msg("\"%s\": %s", text, error);
			mariadb_url_free(&url);
		}
	}
}

/* The same numbers in each run (Marsaglia's xorshift32). */
static uint32_t random_below(uint32_t limit)
{
	static uint32_t x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % limit;
}

/* Every beginning, and texts of random bytes: none is read beyond its end, and what is taken keeps the bounds. */
static void takes_any_bytes(void **state)
{
	static const char whole[] = "//user@host1:3306,[::1]:3307,/run/m.sock,localhost/hearth";
	static const char alphabet[] = "//@@::,[]ab1.-\xC3\xA9\xFF";
	struct mariadb_url url;
	char random[80] = "", text[96], error[512];
	size_t taken = 0;
	(void)state;

	for (size_t len = 0; len < sizeof whole; len++) {
		parse(whole, len, &url, error);
		mariadb_url_free(&url);
	}
	for (int i = 0; i < 200000; i++) {
		size_t len = random_below(sizeof random);
		bool any = i % 2 == 0, bare = i % 4 == 3; /* any bytes, or those of the grammar; alone, or where hosts stand */
		for (size_t j = 0; j < len; j++) {
			random[j] = alphabet[random_below(sizeof alphabet - 1)];
			if (any)
				random[j] = (char)(1 + random_below(255));
		}
		random[len] = '\0';
		len = (size_t)snprintf(text, sizeof text, "%s%s%s", bare ? "" : "//a@b", random, bare ? "" : "/b");
		bool good = parse(text, len, &url, error);
		assert_true(good == (error[0] == '\0'));
		if (good) {
			taken++;
			assert_in_range(url.host_count, 1, MARIADB_HOSTS_MAX);
			assert_in_range(strlen(url.user), 1, 128);
			assert_in_range(strlen(url.database), 1, 64 * 4);
			for (size_t j = 0; j < url.host_count; j++)
				assert_in_range(url.hosts[j].port, 0, 65535);
		}
		mariadb_url_free(&url);
	}
	assert_in_range(taken, 100, 200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_well_formed),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(names_the_option_for_a_password),
		cmocka_unit_test(never_repeats_the_text),
		cmocka_unit_test(takes_any_bytes),
	};
	return cmocka_run_group_tests_name("store_mariadb_url", tests, NULL, NULL);
}
