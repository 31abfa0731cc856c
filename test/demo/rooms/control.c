/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* control: see control.h. */
#include "control.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRE_SECONDS     20
#define FIRE_SECONDS_MAX 3600

/* ---- a line ---- */

static bool parse_number(const char *word, double *number)
{
	char *end;

	*number = strtod(word, &end);
	return end != word && *end == '\0' && isfinite(*number);
}

static const char *parse_fire(const char *word, struct control_command *command)
{
	command->number = FIRE_SECONDS;
	if (*word == '\0' ||
	    (parse_number(word, &command->number) && command->number > 0 && command->number <= FIRE_SECONDS_MAX))
		return NULL;
	return "fire LOCATION [1…3600 seconds]";
}

static const char *parse_wifi(const char *word, struct control_command *command)
{
	command->on = strcmp(word, "on") == 0;
	return command->on || strcmp(word, "off") == 0 ? NULL : "wifi LOCATION on|off";
}

static const char *parse_temperature(const char *word, struct control_command *command)
{
	command->is_change = *word == '+' || *word == '-';
	return parse_number(word, &command->number) ? NULL : "temperature LOCATION +3, -3 or 24.5";
}

const char *control_parse(const char *line, struct control_command *command)
{
	static const struct {
		const char *name;
		const char *(*parse)(const char *word, struct control_command *command);
	} verbs[] = {
		[CONTROL_FIRE] = {"fire", parse_fire},
		[CONTROL_WIFI] = {"wifi", parse_wifi},
		[CONTROL_TEMPERATURE] = {"temperature", parse_temperature},
	};
	char verb[16] = "", word[16] = "", more = '\0';

	*command = (struct control_command){0};
	if (sscanf(line, "%15s %32s %15s %c", verb, command->location, word, &more) < 2 || more != '\0')
		return "fire|wifi|temperature LOCATION …";
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strcmp(verb, verbs[i].name) != 0)
			continue;
		command->verb = (enum control_verb)i;
		return verbs[i].parse(word, command);
	}
	return "fire|wifi|temperature LOCATION …";
}

/* ---- the pipe ---- */

bool control_open(struct control *control, const char *path)
{
	*control = (struct control){.file = -1};
	snprintf(control->path, sizeof control->path, "%s", path);
	unlink(path); /* one that was left behind */
	if (mkfifo(path, 0600))
		return false;
	/* For writing too, so that it does not end when a writer closes it. */
	control->file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return control->file >= 0;
}

void control_poll(struct control *control, void (*take)(void *context, const char *line), void *context)
{
	char *end;
	ssize_t got;

	while ((got = read(control->file, control->text + control->length, sizeof control->text - control->length)) > 0) {
		control->length += (size_t)got;
		while ((end = memchr(control->text, '\n', control->length))) {
			*end = '\0';
			take(context, control->text);
			control->length -= (size_t)(end + 1 - control->text);
			memmove(control->text, end + 1, control->length);
		}
		if (control->length == sizeof control->text)
			control->length = 0; /* no command is so long */
	}
}

void control_close(struct control *control)
{
	if (control->file < 0)
		return;
	close(control->file);
	unlink(control->path);
	control->file = -1;
}
