/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * place: see place.h.
 */
#include "place.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void place_in_build(const char *relative, char out[PATH_MAX])
{
	char build[PATH_MAX] = "";
	if (readlink("/proc/self/exe", build, sizeof(build) - 1) < 0) {
		build[0] = '\0';
	}
	for (int level = 0; level < 3; level++) {
		char *slash = strrchr(build, '/');
		if (slash != NULL) {
			*slash = '\0';
		}
	}
	snprintf(out, PATH_MAX, "%.*s/%s", PATH_MAX / 2, build, relative);
}

bool place_of_built(const char *path, char out[PATH_MAX], struct fault *fault)
{
	if (realpath(path, out) == NULL) {
		return fault_set(fault, "%s: %s; run `make` first", path, strerror(errno));
	}
	return true;
}

bool place_make(char out[PATH_MAX], struct fault *fault)
{
	const char *parent = getenv("TMPDIR");
	snprintf(out, PATH_MAX, "%s/hearth-bench-XXXXXX", parent == NULL ? "/tmp" : parent);
	if (mkdtemp(out) == NULL) {
		fault_set(fault, "%s: %s", out, strerror(errno));
		out[0] = '\0';
		return false;
	}
	return true;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void place_remove(const char *path)
{
	if (path[0] != '\0') {
		nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
}
