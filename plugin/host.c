/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host: the gauges' sources and how they are read.
 *
 * Files are streamed line by line; see host_file.h. Every reader either understands what it reads or reports nothing: a
 * gauge is never guessed from a line that is cut off.
 *
 * CPU          /proc/stat, line "cpu  user nice system idle iowait irq softirq steal guest guest_nice", in ticks. guest
 *              and guest_nice are within user and nice already.
 * memory       /proc/meminfo, lines "MemTotal: N kB" and "MemAvailable: N kB"
 * temperature  /sys/class/thermal/thermal_zoneN/temp, thousandths of a degree
 * clients      /proc/self/fd and /proc/net/tcp, tcp6; see host_clients.c
 */
#include "host.h"

#include "host_clients.h"
#include "host_file.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

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

/* ---- CPU ---- */

enum { CPU_USER, CPU_NICE, CPU_SYSTEM, CPU_IDLE, CPU_IOWAIT, CPU_IRQ, CPU_SOFTIRQ, CPU_STEAL, CPU_FIELDS };

static bool cpu_parse(const char *fields, struct cpu_ticks *out)
{
	uint64_t ticks[CPU_FIELDS] = {0};
	size_t count = 0;

	while (count < CPU_FIELDS && host_number_next(&fields, &ticks[count]))
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
	char line[HOST_LINE_SIZE];
	bool found = false;
	FILE *file = host_file_open(host->root, "/proc/stat");

	if (!file)
		return false;
	while (!found && host_line_next(file, line))
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

	return strncmp(line, name, len) == 0 && host_number_next(&cursor, out) && strcmp(cursor, " kB") == 0;
}

static bool take_memory(struct host *host, double *out)
{
	char line[HOST_LINE_SIZE];
	uint64_t total = 0;
	uint64_t available = 0;
	bool has_total = false;
	bool has_available = false;
	FILE *file = host_file_open(host->root, "/proc/meminfo");

	if (!file)
		return false;
	while (!(has_total && has_available) && host_line_next(file, line)) {
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
	char line[HOST_LINE_SIZE];
	const char *digits = line;
	uint64_t number;
	bool good;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/thermal/%s/temp", zone);
	file = host_file_open(host->root, path);
	if (!file)
		return false;
	good = host_line_next(file, line);
	fclose(file);
	if (!good)
		return false;
	if (*digits == '-')
		digits++;
	if (*digits == ' ' || !host_number_next(&digits, &number) || *digits != '\0')
		return false;
	*out = (line[0] == '-' ? -1.0 : 1.0) * (double)number / 1000.0;
	return true;
}

/* Sensors that are absent or broken report values such as −274 or 255: those outside the plausible are left out. */
static bool take_temperature(struct host *host, double *out)
{
	const struct dirent *entry;
	bool known = false;
	DIR *zones = host_folder_open(host->root, "/sys/class/thermal");

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

static bool take_clients(struct host *host, double *out)
{
	size_t clients;

	if (!host_clients_count(host->root, &clients))
		return false;
	*out = (double)clients;
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
