/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_url: "//user@host1:3306,host2/hearth" → its parts, by a strict grammar:
 *
 *   "//" USER "@" HOST ["," HOST]… "/" DATABASE
 *
 *   USER      1 to 128 bytes of UTF-8 without spaces and  : / , @
 *   HOST      NAME [":" PORT]             letters, digits, '.', '-' and '_'; "localhost" without a port is a socket
 *             "[" IPV6 "]" [":" PORT]
 *             "/" PATH                    a socket; no ':' or ',' in it
 *   PORT      1 to 65535, else 3306
 *   DATABASE  1 to 64 characters: letters, digits, '_', '$', '-' and what is not ASCII
 *
 * A message tells which part is wrong and never repeats any of the text: whatever is wrong with it, part of it may be a
 * password.
 */
#include "store_mariadb_url.h"

#include "topic.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define WANTED "wanted mariadb://USER@HOST[:PORT][,HOST…]/DATABASE, such as mariadb://hearth@localhost/hearth"

#define USER_BYTES_MAX     128
#define DATABASE_CHARS_MAX 64
#define NAME_BYTES_MAX     253 /* RFC 1035, without the final dot */
#define SOCKET_BYTES_MAX   (sizeof((struct sockaddr_un *)NULL)->sun_path - 1)
#define DEFAULT_PORT       3306

#define LETTERS     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS      "0123456789"
#define OUT_OF_ROOM "out of memory"

/* The text up to the first `separator`, which is taken away too; all of it if there is none. */
static struct slice take_until(struct slice *text, char separator)
{
	const char *end = text->len > 0 ? memchr(text->ptr, separator, text->len) : NULL;
	struct slice taken = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};
	size_t skipped = end ? taken.len + 1 : taken.len;

	*text = (struct slice){text->ptr + skipped, text->len - skipped};
	return taken;
}

static bool holds(struct slice text, char c)
{
	return text.len > 0 && memchr(text.ptr, c, text.len) != NULL;
}

/* Is every byte one of these ASCII characters, or (`beyond_ascii`) part of a longer one? */
static bool consists_of(struct slice text, const char *allowed, bool beyond_ascii)
{
	for (size_t i = 0; i < text.len; i++) {
		bool ascii = (unsigned char)text.ptr[i] < 0x80;
		if (ascii ? text.ptr[i] == '\0' || !strchr(allowed, text.ptr[i]) : !beyond_ascii)
			return false;
	}
	return true;
}

static bool has_blank_or_control(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return true;
	}
	return false;
}

/* Characters of well-formed UTF-8. */
static size_t count_characters(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
	return count;
}

/* ---- the parts; each gives NULL, or what is wrong with it ---- */

static const char *keep(struct slice text, char **out)
{
	*out = strndup(text.ptr, text.len);
	return *out ? NULL : OUT_OF_ROOM;
}

static const char *parse_user(struct slice text, char **out)
{
	if (text.len == 0)
		return "there is no user before the @";
	if (text.len > USER_BYTES_MAX)
		return "the user's name is longer than 128 bytes";
	if (!utf8_valid(text) || has_blank_or_control(text) || holds(text, '/') || holds(text, ','))
		return "the user's name holds a space, / or ,";
	return keep(text, out);
}

static const char *parse_database(struct slice text, char **out)
{
	if (text.len == 0)
		return "there is no database behind the last /";
	if (!utf8_valid(text) || !consists_of(text, LETTERS DIGITS "_$-", true))
		return "the database's name holds something else than letters, digits, _, $ and -";
	if (count_characters(text) > DATABASE_CHARS_MAX)
		return "the database's name is longer than 64 characters";
	return keep(text, out);
}

static const char *parse_port(struct slice text, unsigned *out)
{
	static const char wrong[] = "its port is not a number from 1 to 65535";
	unsigned port = 0;

	if (text.len == 0 || text.len > 5 || text.ptr[0] == '0' || !consists_of(text, DIGITS, false))
		return wrong;
	for (size_t i = 0; i < text.len; i++)
		port = port * 10 + (unsigned)(text.ptr[i] - '0');
	if (port > 65535)
		return wrong;
	*out = port;
	return NULL;
}

static const char *parse_socket(struct slice text, struct mariadb_host *out)
{
	if (text.len > SOCKET_BYTES_MAX)
		return "a socket's path is at most 107 bytes";
	if (holds(text, ':'))
		return "a socket has no port";
	if (text.ptr[text.len - 1] == '/' || !utf8_valid(text) || has_blank_or_control(text))
		return "it is no path of a socket";
	return keep(text, &out->socket);
}

/* ":PORT" or nothing, and the name before it. */
static const char *parse_network(struct slice name, struct slice rest, struct mariadb_host *out)
{
	const char *wrong = NULL;

	out->port = DEFAULT_PORT;
	if (rest.len > 0)
		wrong = rest.ptr[0] == ':' ? parse_port((struct slice){rest.ptr + 1, rest.len - 1}, &out->port)
		                           : "something stands behind the ]";
	return wrong ? wrong : keep(name, &out->name);
}

static const char *parse_bracketed(struct slice text, struct mariadb_host *out)
{
	struct slice rest = {text.ptr + 1, text.len - 1};
	char address[INET6_ADDRSTRLEN];
	struct in6_addr number;

	if (!holds(rest, ']'))
		return "there is no ] to its [";
	struct slice name = take_until(&rest, ']');
	snprintf(address, sizeof address, "%.*s", (int)(name.len < sizeof address ? name.len : sizeof address - 1),
	         name.ptr);
	if (name.len >= sizeof address || inet_pton(AF_INET6, address, &number) != 1)
		return "there is no IPv6 address in its brackets";
	return parse_network(name, rest, out);
}

static const char *parse_name(struct slice text, struct mariadb_host *out)
{
	struct slice rest = text;
	struct slice name = take_until(&rest, ':');

	if (holds(rest, ':'))
		return "an IPv6 address is wanted in [brackets]";
	if (name.len == 0)
		return "it has no name";
	if (name.len > NAME_BYTES_MAX || !consists_of(name, LETTERS DIGITS ".-_", false) || name.ptr[0] == '-' ||
	    name.ptr[0] == '.')
		return "it is no name of a host";
	if (name.len == text.len && slice_is(name, "localhost"))
		return NULL; /* the usual socket: no name, no path, no port */
	return parse_network(name, (struct slice){name.ptr + name.len, text.len - name.len}, out);
}

static const char *parse_host(struct slice text, struct mariadb_host *out)
{
	if (text.len > 0 && text.ptr[0] == '/')
		return parse_socket(text, out);
	if (text.len > 0 && text.ptr[0] == '[')
		return parse_bracketed(text, out);
	return parse_name(text, out);
}

/* *failed is the number of the host that is wrong, the first being 1. */
static const char *parse_hosts(struct slice text, struct mariadb_url *out, size_t *failed)
{
	const char *wrong = NULL;
	bool more = true;

	while (more && !wrong) {
		if (out->host_count == MARIADB_HOSTS_MAX)
			return "there are more than 16 hosts";
		size_t before = text.len;
		struct slice host = take_until(&text, ',');
		more = host.len < before;
		wrong = parse_host(host, &out->hosts[out->host_count++]);
	}
	*failed = wrong ? out->host_count : 0;
	return wrong;
}

/* ---- the whole ---- */

static const char *parse(const char *text, struct mariadb_url *out, size_t *failed)
{
	struct slice rest = slice_of(text);

	if (strncmp(text, "//", 2) != 0)
		return "there is no // behind mariadb:";
	rest = (struct slice){rest.ptr + 2, rest.len - 2};
	if (!holds(rest, '@'))
		return "there is no USER@";
	struct slice user = take_until(&rest, '@');
	if (holds(user, ':'))
		return "a password has no place here, name a file that holds it by plugin_opt_store_password_file";
	if (holds(rest, '@'))
		return "there is more than one @";
	const char *slash = memrchr(rest.ptr, '/', rest.len);
	if (!slash)
		return "there is no /DATABASE";

	const char *wrong = parse_user(user, &out->user);
	if (!wrong)
		wrong = parse_database(slice_of(slash + 1), &out->database);
	if (!wrong)
		wrong = parse_hosts((struct slice){rest.ptr, (size_t)(slash - rest.ptr)}, out, failed);
	return wrong;
}

bool mariadb_url_parse(const char *text, struct mariadb_url *out, char *error, size_t error_size)
{
	size_t failed = 0;

	*out = (struct mariadb_url){0};
	const char *wrong = parse(text, out, &failed);
	if (wrong && failed > 0)
		snprintf(error, error_size, "host %zu: %s; %s", failed, wrong, WANTED);
	else if (wrong)
		snprintf(error, error_size, "%s; %s", wrong, WANTED);
	return !wrong;
}

void mariadb_url_free(struct mariadb_url *url)
{
	for (size_t i = 0; i < url->host_count; i++) {
		free(url->hosts[i].name);
		free(url->hosts[i].socket);
	}
	free(url->user);
	free(url->database);
	*url = (struct mariadb_url){0};
}
