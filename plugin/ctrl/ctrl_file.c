/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_file: see ctrl_file.h.
 */
#include "ctrl_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int ctrl_file_read(struct ctrl_call *call, const char *path, char **text)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	size_t len = 0, room = 65536, got = 1;
	bool failed;

	*text = NULL;
	if (!file)
		return ctrl_fail(call, CTRL_FILE, "%s: %s", path, strerror(errno));
	*text = ctrl_must(malloc(room + 1));
	while (got > 0 && len < CTRL_FILE_MAX) {
		if (len == room) {
			room *= 2;
			*text = ctrl_must(realloc(*text, room + 1));
		}
		got = fread(*text + len, 1, room - len, file);
		len += got;
	}
	(*text)[len] = '\0';
	failed = ferror(file) != 0;
	if (file != stdin)
		fclose(file);
	if (!failed && len < CTRL_FILE_MAX && strlen(*text) == len)
		return CTRL_OK;
	free(*text);
	*text = NULL;
	return ctrl_fail(call, CTRL_FILE, "%s: %s", path, failed ? "cannot be read" : "wanted text of less than 256 MiB");
}

static bool write_all(int file, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t wrote = write(file, text, left);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		text += wrote;
		left -= (size_t)wrote;
	}
	return true;
}

int ctrl_file_write(struct ctrl_call *call, const char *path, const char *text)
{
	char *temporary = NULL;
	int file, status = CTRL_OK;
	bool done;

	if (strcmp(path, "-") == 0) {
		fputs(text, stdout);
		return CTRL_OK;
	}
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		ctrl_must(NULL);
	file = mkostemp(temporary, 0); /* 0600 */
	if (file < 0) {
		status = ctrl_fail(call, CTRL_FILE, "%s: %s", path, strerror(errno));
		goto out;
	}
	done = write_all(file, text) && fsync(file) == 0;
	if (close(file) != 0 || !done || rename(temporary, path) != 0) {
		status = ctrl_fail(call, CTRL_FILE, "%s: %s", path, strerror(errno));
		unlink(temporary);
	}
out:
	free(temporary);
	return status;
}
