/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host_file: paths below the root, lines of bounded length, numbers.
 */
#include "host_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The path below the root, in `full`; an empty one, which nothing opens, if it is too long. */
static const char *path_below(const char *root, const char *path, char full[static PATH_MAX])
{
	int len = snprintf(full, PATH_MAX, "%s%s", root, path);
	return len > 0 && len < PATH_MAX ? full : "";
}

FILE *host_file_open(const char *root, const char *path)
{
	char full[PATH_MAX];
	return fopen(path_below(root, path, full), "re");
}

DIR *host_folder_open(const char *root, const char *path)
{
	char full[PATH_MAX];
	return opendir(path_below(root, path, full));
}

bool host_line_next(FILE *file, char line[static HOST_LINE_SIZE])
{
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(file)) != EOF && c != '\n')
		if (len < HOST_LINE_SIZE - 1)
			line[len++] = (char)(c == '\0' ? '?' : c);
	line[len] = '\0';
	return c == '\n';
}

bool host_number_next(const char **cursor, uint64_t *out)
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
