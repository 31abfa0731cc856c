/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host_fixture: see host_fixture.h.
 */
#include "host_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

/* Each behind the one it lies in. */
static const char *const folders[] = {"/proc", "/proc/net",  "/proc/self",        "/proc/self/fd",
                                      "/sys",  "/sys/class", "/sys/class/thermal"};
static const char *const files[] = {"/proc/stat", "/proc/meminfo", "/proc/net/tcp", "/proc/net/tcp6"};

const char *machine_root(void)
{
	return root;
}

char *machine_path(const char *path)
{
	static char full[512];
	snprintf(full, sizeof full, "%s%s", root, path);
	return full;
}

void machine_put_bytes(const char *path, const char *text, size_t len)
{
	if (!text) {
		assert_true(unlink(machine_path(path)) == 0 || errno == ENOENT || errno == ENOTDIR);
		return;
	}
	FILE *file = fopen(machine_path(path), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

void machine_put(const char *path, const char *text)
{
	machine_put_bytes(path, text, text ? strlen(text) : 0);
}

int machine_make(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof root, "%s/hearth-host-XXXXXX", tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < COUNT(folders); i++)
		if (mkdir(machine_path(folders[i]), 0700) != 0)
			return -1;
	return 0;
}

int machine_remove(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		machine_put(files[i], NULL);
	for (size_t i = COUNT(folders); i > 0; i--)
		rmdir(machine_path(folders[i - 1]));
	return rmdir(root);
}

double gauge_of(const struct host_sample *sample, enum host_gauge gauge)
{
	return sample->known[gauge] ? sample->value[gauge] : UNKNOWN;
}

double machine_gauge(enum host_gauge gauge)
{
	struct host *host = host_new(root, "/");
	struct host_sample sample;

	assert_non_null(host);
	host_take(host, &sample);
	host_free(host);
	return gauge_of(&sample, gauge);
}

/* A sample is rounded to 0.1, so equal numbers are equal bytes. */
void assert_gauge(const char *what, double found, double wanted)
{
	if (found < wanted || found > wanted)
		fail_msg("%s: found %g, wanted %g", what, found, wanted);
}
