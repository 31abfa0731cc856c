/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host_clients: which sockets are ours, and what the kernel's tables of connections say of them; see proc(5).
 *
 * /proc/self/fd           a link for each descriptor of the main thread; a socket's reads "socket:[INODE]"
 * /proc/net/tcp, tcp6     a heading, then a row for each socket in the network namespace, fields parted by spaces:
 *
 *   0 number  1 local ADDRESS:PORT  2 remote  3 state  4, 5 queues, timer  6 retransmits  7 uid  8 timeout  9 inode …
 *   "   0: 0100007F:075B 0100007F:C350 01 00000000:00000000 00:00000000 00000000   0   0 1602 1 …"
 *
 * ADDRESS (8 digits, 32 for IPv6), PORT (4) and the state (2) are hexadecimal. The inode is 0 until a connection is
 * accepted.
 *
 * The sockets themselves could be asked faster (TCP_INFO), but only by a thread that shares the broker's descriptors,
 * and sharing them makes every system call of the broker's thread dearer. For each reading of a table the kernel walks
 * its whole hash of connections: some milliseconds of the calling thread's time, however few there are.
 *
 * The kernel takes no snapshot: while sockets come and go a row can be listed twice or not at all. So a row only says
 * what state its socket is in, and the sockets are counted, each once.
 */
#include "host_clients.h"

#include "host_file.h"

#include <dirent.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKETS_FIRST 64
#define SOCKETS_MAX   (1 << 17) /* 2 MiB of them; beyond that nothing is counted */

struct own_socket {
	uint64_t inode;
	uint16_t port;    /* local */
	bool established; /* as the tables say; a listener and an unknown one are not */
};

struct census {
	bool listening[UINT16_MAX + 1]; /* by port */
	struct own_socket *sockets;     /* once all are known: sorted by inode, each once */
	size_t count;
	size_t room;
};

/* ---- our sockets ---- */

static bool socket_add(struct census *census, uint64_t inode)
{
	if (census->count == census->room) {
		size_t room = census->room ? census->room * 2 : SOCKETS_FIRST;
		struct own_socket *sockets;

		if (room > SOCKETS_MAX)
			return false;
		sockets = realloc(census->sockets, room * sizeof(*sockets));
		if (!sockets)
			return false;
		census->sockets = sockets;
		census->room = room;
	}
	census->sockets[census->count++] = (struct own_socket){.inode = inode};
	return true;
}

/* False if the descriptor is no socket, or closed meanwhile. */
static bool inode_read(int folder, const char *name, uint64_t *out)
{
	static const char prefix[] = "socket:[";
	const size_t prefix_len = sizeof(prefix) - 1;
	char target[64];
	const char *digits = target + prefix_len;
	ssize_t len = readlinkat(folder, name, target, sizeof(target));

	if (len <= (ssize_t)prefix_len || len == (ssize_t)sizeof(target) || target[len - 1] != ']')
		return false;
	target[len - 1] = '\0';
	return strncmp(target, prefix, prefix_len) == 0 && host_number_next(&digits, out) && *digits == '\0' && *out != 0;
}

static int inode_compare(const void *a, const void *b)
{
	uint64_t left = ((const struct own_socket *)a)->inode;
	uint64_t right = ((const struct own_socket *)b)->inode;

	return (left > right) - (left < right);
}

static void sockets_sort(struct census *census)
{
	size_t kept = 0;

	if (census->count == 0)
		return;
	qsort(census->sockets, census->count, sizeof(*census->sockets), inode_compare);
	for (size_t i = 1; i < census->count; i++)
		if (census->sockets[i].inode != census->sockets[kept].inode)
			census->sockets[++kept] = census->sockets[i];
	census->count = kept + 1;
}

static bool sockets_list(struct census *census, const char *root)
{
	const struct dirent *entry;
	bool complete = true;
	DIR *folder = host_folder_open(root, "/proc/self/fd");

	if (!folder)
		return false;
	while (complete && (entry = readdir(folder)) != NULL) {
		uint64_t inode;

		if (inode_read(dirfd(folder), entry->d_name, &inode))
			complete = socket_add(census, inode);
	}
	closedir(folder);
	sockets_sort(census);
	return complete;
}

static struct own_socket *socket_find(const struct census *census, uint64_t inode)
{
	const struct own_socket wanted = {.inode = inode};

	if (census->count == 0)
		return NULL;
	return bsearch(&wanted, census->sockets, census->count, sizeof(wanted), inode_compare);
}

/* ---- the kernel's tables ---- */

static const char hex_digits[] = "0123456789ABCDEFabcdef";

/* Steps over so many words; at the line's end it stays there. */
static const char *words_skip(const char *cursor, size_t words)
{
	cursor += strspn(cursor, " ");
	for (; words > 0; words--) {
		cursor += strcspn(cursor, " ");
		cursor += strspn(cursor, " ");
	}
	return cursor;
}

/* Reads a hexadecimal number of just so many digits, the last thing in its word. */
static bool hex_read(const char *text, size_t digits, uint16_t *out)
{
	if (strspn(text, hex_digits) != digits || text[digits] != ' ')
		return false;
	*out = (uint16_t)strtoul(text, NULL, 16);
	return true;
}

static bool row_parse(const char *line, uint16_t *port, uint16_t *state, uint64_t *inode)
{
	const char *local = words_skip(line, 1);
	const char *status = words_skip(local, 2);
	const char *number = words_skip(status, 6);
	size_t address_len = strspn(local, hex_digits);

	return (address_len == 8 || address_len == 32) && local[address_len] == ':' &&
	       hex_read(local + address_len + 1, 4, port) && hex_read(status, 2, state) && host_number_next(&number, inode);
}

/* A row that is not understood, or is not about one of our sockets, changes nothing. */
static void row_apply(struct census *census, const char *line)
{
	struct own_socket *found;
	uint16_t port;
	uint16_t state;
	uint64_t inode;

	if (!row_parse(line, &port, &state, &inode) || (state != TCP_LISTEN && state != TCP_ESTABLISHED))
		return;
	found = socket_find(census, inode);
	if (!found)
		return;
	if (state == TCP_LISTEN)
		census->listening[port] = true;
	found->port = port;
	found->established = state == TCP_ESTABLISHED;
}

/* False if there is no such table: a kernel without IPv6 has but one. */
static bool table_read(struct census *census, const char *root, const char *path)
{
	static const char heading[] = "  sl  local_address ";
	char line[HOST_LINE_SIZE];
	bool good;
	FILE *file = host_file_open(root, path);

	if (!file)
		return false;
	good = host_line_next(file, line) && strncmp(line, heading, sizeof(heading) - 1) == 0;
	while (good && host_line_next(file, line))
		row_apply(census, line);
	fclose(file);
	return good;
}

/* ---- both ---- */

static size_t clients_of(const struct census *census)
{
	size_t clients = 0;

	for (size_t i = 0; i < census->count; i++)
		if (census->sockets[i].established && census->listening[census->sockets[i].port])
			clients++;
	return clients;
}

bool host_clients_count(const char *root, size_t *out)
{
	struct census *census = calloc(1, sizeof(*census));
	bool known = false;

	if (!census)
		return false;
	if (sockets_list(census, root)) {
		/* Both in any case: a socket that listens on IPv6 may have IPv4 clients, and a port may have both. */
		bool v4 = table_read(census, root, "/proc/net/tcp");
		bool v6 = table_read(census, root, "/proc/net/tcp6");

		known = v4 || v6;
		*out = clients_of(census);
	}
	free(census->sockets);
	free(census);
	return known;
}
