/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_marker: see storage_marker.h.
 */
#include "storage_marker.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static void path_of(const char *state_dir, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/accounts", state_dir);
}

bool marker_is_set(const char *state_dir)
{
	char path[PATH_MAX];
	path_of(state_dir, path);
	return access(path, F_OK) == 0;
}

bool marker_set(const char *state_dir)
{
	char path[PATH_MAX];
	path_of(state_dir, path);
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return file >= 0 && close(file) == 0;
}
