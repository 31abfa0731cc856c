/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker_conf: a second look at mosquitto.conf, for the one setting that decides whether Hearth can work.
 *
 * A plugin is told its own options only. This reads the lines "per_listener_settings true|false|1|0" and "include_dir
 * DIR" and skips all others: the broker has read and accepted the files before, so nothing here is an error. As there,
 * the last line counts, an include_dir is read where it stands, and only in the main file.
 */
#include "broker_conf.h"

#include "topic.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST ((size_t)1 << 20) /* bytes of a file that are looked at */

/* ---- pieces of text ---- */

/* Takes what stands before `end` off the front of the text, and `end` too. */
static struct slice text_take(struct slice *text, char end)
{
	const char *at = memchr(text->ptr, end, text->len);
	size_t len = at ? (size_t)(at - text->ptr) : text->len;
	struct slice taken = {text->ptr, len};

	text->ptr += at ? len + 1 : len;
	text->len -= at ? len + 1 : len;
	return taken;
}

/* Takes a line's first word off it. The broker parts words by spaces; tabs do no harm, since it refuses those. */
static struct slice word_take(struct slice *line)
{
	struct slice word = slice_trim(*line);
	size_t len = 0;

	while (len < word.len && word.ptr[len] != ' ' && word.ptr[len] != '\t')
		len++;
	*line = slice_trim((struct slice){word.ptr + len, word.len - len});
	word.len = len;
	return word;
}

/* ---- files ---- */

/* The beginning of a regular file; the caller frees it. Reading a pipe could block the broker for ever. */
static char *file_read(const char *path, size_t *len)
{
	struct stat status;
	char *text = NULL;
	ssize_t count = -1;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		text = malloc(FILE_MOST);
	if (text)
		count = read(fd, text, FILE_MOST);
	close(fd);
	if (count < 0) {
		free(text);
		return NULL;
	}
	*len = (size_t)count;
	return text;
}

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* mosquitto.conf(5): 00.conf A.conf a.conf B.conf b.conf */
static int conf_order(const struct dirent **a, const struct dirent **b)
{
	int order = strcasecmp((*a)->d_name, (*b)->d_name);
	return order != 0 ? order : strcmp((*a)->d_name, (*b)->d_name);
}

/* What to do about an include_dir. */
typedef void (*include_action)(struct slice folder, bool *per_listener);

static void conf_read(const char *path, include_action include, bool *per_listener)
{
	struct slice rest = {NULL, 0};
	char *text = file_read(path, &rest.len);

	if (!text)
		return;
	rest.ptr = text;
	while (rest.len > 0) {
		struct slice line = text_take(&rest, '\n');
		struct slice key = word_take(&line);

		if (slice_is(key, "per_listener_settings")) {
			struct slice value = word_take(&line);
			*per_listener = slice_is(value, "true") || slice_is(value, "1");
		} else if (slice_is(key, "include_dir")) {
			include(line, per_listener);
		}
	}
	free(text);
}

static void include_nothing(struct slice folder, bool *per_listener)
{
	(void)folder;
	(void)per_listener;
}

static void include_files(struct slice folder, bool *per_listener)
{
	char path[PATH_MAX];
	struct dirent **entries;
	int count;

	if (folder.len >= sizeof(path))
		return;
	memcpy(path, folder.ptr, folder.len);
	path[folder.len] = '\0';
	count = scandir(path, &entries, is_conf, conf_order);
	if (count < 0)
		return;
	for (int i = 0; i < count; i++) {
		size_t room = sizeof(path) - folder.len;
		int len = snprintf(path + folder.len, room, "/%s", entries[i]->d_name);

		if (len > 0 && (size_t)len < room)
			conf_read(path, include_nothing, per_listener);
		free(entries[i]);
	}
	free(entries);
}

/* ---- the command line ---- */

bool broker_conf_per_listener(const char *command_line, size_t len)
{
	struct slice rest = {command_line, len};
	bool per_listener = false;

	(void)text_take(&rest, '\0'); /* the broker's own name */
	while (rest.len > 0) {
		struct slice argument = text_take(&rest, '\0');
		char path[PATH_MAX];

		if (!slice_is(argument, "-c") && !slice_is(argument, "--config-file"))
			continue;
		argument = text_take(&rest, '\0');
		if (argument.len >= sizeof(path))
			continue;
		memcpy(path, argument.ptr, argument.len);
		path[argument.len] = '\0';
		conf_read(path, include_files, &per_listener);
	}
	return per_listener;
}
