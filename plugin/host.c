/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host: the gauges' sources and how they are read.
 *
 * Files are streamed line by line through a bounded buffer, so that a line without an end costs no memory. Every
 * reader either understands what it reads or reports nothing: a gauge is never guessed from a file that is cut off.
 *
 * CPU          /proc/stat, line "cpu  user nice system idle iowait irq softirq steal guest guest_nice", in ticks. guest
 *              and guest_nice are within user and nice already.
 * memory       /proc/meminfo, lines "MemTotal: N kB" and "MemAvailable: N kB"
 * temperature  /sys/class/thermal/thermal_zoneN/temp, thousandths of a degree
 * clients      /proc/self/fd for the descriptors, then TCP_INFO and the local address of each; see tcp(7)
 */
#include "host.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>

#define LINE_SIZE 512 /* the lines that matter have at most about 200 bytes */

#define TEMPERATURE_MIN (-40.0)
#define TEMPERATURE_MAX 150.0

struct cpu_ticks {
	uint64_t busy;
	uint64_t total;
};

struct host {
	char *root;
	char *disk_path;
	bool has_last;
	struct cpu_ticks last;
};

/* ---- reading ---- */

/* The path below the root, in `full`; an empty one, which nothing opens, if it is too long. */
static const char *path_below(const struct host *host, const char *path, char full[static PATH_MAX])
{
	int len = snprintf(full, PATH_MAX, "%s%s", host->root, path);
	return len > 0 && len < PATH_MAX ? full : "";
}

static FILE *file_open(const struct host *host, const char *path)
{
	char full[PATH_MAX];
	return fopen(path_below(host, path, full), "re");
}

static DIR *directory_open(const struct host *host, const char *path)
{
	char full[PATH_MAX];
	return opendir(path_below(host, path, full));
}

/*
 * Reads the next line without its end. What does not fit is dropped, and a NUL byte becomes '?', so that it can never
 * pass for the end of a number. A last line that is cut off (no '\n') is none. False at the end.
 */
static bool line_next(FILE *file, char line[static LINE_SIZE])
{
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(file)) != EOF && c != '\n')
		if (len < LINE_SIZE - 1)
			line[len++] = (char)(c == '\0' ? '?' : c);
	line[len] = '\0';
	return c == '\n';
}

/* Reads a decimal number that ends at a space or the line's end, and steps behind it. */
static bool number_next(const char **cursor, uint64_t *out)
{
	const char *c = *cursor + strspn(*cursor, " ");
	size_t digits = strspn(c, "0123456789");

	/* 18 digits always fit, and ten such numbers can still be added up. */
	if (digits == 0 || digits > 18 || (c[digits] != ' ' && c[digits] != '\0'))
		return false;
	*out = strtoull(c, NULL, 10);
	*cursor = c + digits;
	return true;
}

/* ---- CPU ---- */

enum { CPU_USER, CPU_NICE, CPU_SYSTEM, CPU_IDLE, CPU_IOWAIT, CPU_IRQ, CPU_SOFTIRQ, CPU_STEAL, CPU_FIELDS };

static bool cpu_parse(const char *fields, struct cpu_ticks *out)
{
	uint64_t ticks[CPU_FIELDS] = {0};
	size_t count = 0;

	while (count < CPU_FIELDS && number_next(&fields, &ticks[count]))
		count++;
	/* Kernels before 2.6 know the first four only. */
	if (count <= CPU_IDLE || (count < CPU_FIELDS && fields[strspn(fields, " ")] != '\0'))
		return false;

	out->busy =
		ticks[CPU_USER] + ticks[CPU_NICE] + ticks[CPU_SYSTEM] + ticks[CPU_IRQ] + ticks[CPU_SOFTIRQ] + ticks[CPU_STEAL];
	out->total = out->busy + ticks[CPU_IDLE] + ticks[CPU_IOWAIT];
	return true;
}

static bool cpu_read(const struct host *host, struct cpu_ticks *out)
{
	char line[LINE_SIZE];
	bool found = false;
	FILE *file = file_open(host, "/proc/stat");

	if (!file)
		return false;
	while (!found && line_next(file, line))
		found = strncmp(line, "cpu ", 4) == 0 && cpu_parse(line + 4, out);
	fclose(file);
	return found;
}

static bool take_cpu(struct host *host, double *out)
{
	struct cpu_ticks now;
	struct cpu_ticks last = host->last;
	bool comparable;

	if (!cpu_read(host, &now))
		return false;
	/*
	 * The counters fall when a container moves to another machine: then this sample is a new beginning. A busy that
	 * fell makes a difference that wraps round to more than the total's.
	 */
	comparable = host->has_last && now.total > last.total && now.busy - last.busy <= now.total - last.total;
	host->last = now;
	host->has_last = true;
	if (comparable)
		*out = 100.0 * (double)(now.busy - last.busy) / (double)(now.total - last.total);
	return comparable;
}

/* ---- memory ---- */

/* Takes the number of a line such as "MemTotal:  16318464 kB" if it is the named one. */
static bool memory_field(const char *line, const char *name, uint64_t *out)
{
	size_t len = strlen(name);
	const char *cursor = line + len;

	return strncmp(line, name, len) == 0 && number_next(&cursor, out) && strcmp(cursor, " kB") == 0;
}

static bool take_memory(struct host *host, double *out)
{
	char line[LINE_SIZE];
	uint64_t total = 0;
	uint64_t available = 0;
	bool has_total = false;
	bool has_available = false;
	FILE *file = file_open(host, "/proc/meminfo");

	if (!file)
		return false;
	while (!(has_total && has_available) && line_next(file, line)) {
		has_total = has_total || memory_field(line, "MemTotal:", &total);
		has_available = has_available || memory_field(line, "MemAvailable:", &available);
	}
	fclose(file);
	if (!has_total || !has_available || total == 0 || available > total)
		return false;
	*out = 100.0 * (double)(total - available) / (double)total;
	return true;
}

/* ---- disk ---- */

/* As df counts: of the space that is used or that anyone but root may still use. */
static bool take_disk(struct host *host, double *out)
{
	struct statvfs fs;
	double used;
	double available;

	if (statvfs(host->disk_path, &fs) != 0 || fs.f_bfree > fs.f_blocks)
		return false;
	used = (double)(fs.f_blocks - fs.f_bfree);
	/* "Less than nothing is left" comes as a huge number. */
	available = fs.f_bavail > fs.f_blocks ? 0.0 : (double)fs.f_bavail;
	if (used + available <= 0.0)
		return false;
	*out = 100.0 * used / (used + available);
	return true;
}

/* ---- temperature ---- */

/* A file that holds one whole number of thousandths, perhaps negative. */
static bool zone_read(const struct host *host, const char *zone, double *out)
{
	char path[PATH_MAX];
	char line[LINE_SIZE];
	const char *digits = line;
	uint64_t number;
	bool good;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/thermal/%s/temp", zone);
	file = file_open(host, path);
	if (!file)
		return false;
	good = line_next(file, line);
	fclose(file);
	if (!good)
		return false;
	if (*digits == '-')
		digits++;
	if (*digits == ' ' || !number_next(&digits, &number) || *digits != '\0')
		return false;
	*out = (line[0] == '-' ? -1.0 : 1.0) * (double)number / 1000.0;
	return true;
}

/* Sensors that are absent or broken report values such as −274 or 255: those outside the plausible are left out. */
static bool take_temperature(struct host *host, double *out)
{
	const struct dirent *entry;
	bool known = false;
	DIR *zones = directory_open(host, "/sys/class/thermal");

	if (!zones)
		return false;
	while ((entry = readdir(zones)) != NULL) {
		double degrees;

		if (strncmp(entry->d_name, "thermal_zone", 12) != 0 || !zone_read(host, entry->d_name, &degrees))
			continue;
		if (degrees < TEMPERATURE_MIN || degrees > TEMPERATURE_MAX || (known && degrees <= *out))
			continue;
		*out = degrees;
		known = true;
	}
	closedir(zones);
	return known;
}

/* ---- clients ---- */

#define PORTS (UINT16_MAX + 1)

struct port_table {
	uint32_t established[PORTS]; /* connections by their local port */
	bool listening[PORTS];
};

/* The local port of an IPv4 or IPv6 socket; 0 if it has none. */
static uint16_t socket_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len) != 0)
		return 0;
	switch (address.any.sa_family) {
	case AF_INET:
		return ntohs(address.v4.sin_port);
	case AF_INET6:
		return ntohs(address.v6.sin6_port);
	default:
		return 0;
	}
}

/* Another thread may close the descriptor, or use its number again, meanwhile: then this socket counts or does not. */
static void ports_add(struct port_table *ports, int fd)
{
	uint8_t state = 0; /* the first byte of struct tcp_info; the kernel gives as much of it as there is room for */
	socklen_t len = sizeof(state);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len) != 0)
		return;
	if (state == TCP_LISTEN)
		ports->listening[socket_port(fd)] = true;
	else if (state == TCP_ESTABLISHED)
		ports->established[socket_port(fd)]++;
}

static double ports_clients(const struct port_table *ports)
{
	double clients = 0.0;

	for (size_t port = 1; port < PORTS; port++)
		if (ports->listening[port])
			clients += ports->established[port];
	return clients;
}

/*
 * Asks the sockets themselves. /proc/net/tcp would tell the same, but the kernel walks its whole hash of connections
 * for each reading of it: milliseconds for ten clients, and tens of them for thousands.
 */
static bool take_clients(struct host *host, double *out)
{
	const struct dirent *entry;
	struct port_table *ports;
	DIR *fds = directory_open(host, "/proc/self/fd");

	if (!fds)
		return false;
	ports = calloc(1, sizeof(*ports));
	while (ports && (entry = readdir(fds)) != NULL) {
		const char *cursor = entry->d_name;
		uint64_t fd;

		if (number_next(&cursor, &fd) && *cursor == '\0' && fd <= INT_MAX)
			ports_add(ports, (int)fd);
	}
	closedir(fds);
	if (!ports)
		return false;
	*out = ports_clients(ports);
	free(ports);
	return true;
}

/* ---- all ---- */

static bool (*const gauges[HOST_GAUGE_COUNT])(struct host *host, double *out) = {
	[HOST_CPU] = take_cpu,         [HOST_MEMORY] = take_memory,
	[HOST_DISK] = take_disk,       [HOST_TEMPERATURE] = take_temperature,
	[HOST_CLIENTS] = take_clients,
};

struct host *host_new(const char *root, const char *disk_path)
{
	struct host *host = calloc(1, sizeof(*host));

	if (!host)
		return NULL;
	host->root = strdup(root);
	host->disk_path = strdup(disk_path);
	if (!host->root || !host->disk_path) {
		host_free(host);
		return NULL;
	}
	return host;
}

void host_free(struct host *host)
{
	if (!host)
		return;
	free(host->root);
	free(host->disk_path);
	free(host);
}

void host_take(struct host *host, struct host_sample *out)
{
	*out = (struct host_sample){0};
	for (size_t i = 0; i < HOST_GAUGE_COUNT; i++) {
		double value = 0.0;

		out->known[i] = gauges[i](host, &value);
		if (out->known[i])
			out->value[i] = round(value * 10.0) / 10.0;
	}
}
