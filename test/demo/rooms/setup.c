/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* setup: see setup.h, and the firmware's console.h for what is typed and what is answered. */
#include "setup.h"

#include <stdio.h>
#include <string.h>

/* The simulated access point takes any name. */
#define SSID   "hearth-demo"
#define BROKER "127.0.0.1"
/* A day of the house is short, so its readings come often, and dusk in small steps. */
#define PERIOD_S           "10"
#define CHANGE_ILLUMINANCE "5"

#define SECRET    0
#define NAME(bit) (setting_names[bit])

static const char *const setting_names[] = {
	"secret", "ssid", "broker", "port", "location", "device", "period_s", "change_illuminance",
};
enum { SETTING_COUNT = sizeof setting_names / sizeof *setting_names };

static const char *value_of(const struct setup *setup, int setting)
{
	const char *const values[SETTING_COUNT] = {
		setup->secret, SSID, BROKER, setup->port, setup->location, setup->device, PERIOD_S, CHANGE_ILLUMINANCE,
	};

	return values[setting];
}

void setup_init(struct setup *setup, const char *location, const char *device, const char *secret, int port)
{
	*setup = (struct setup){.location = location, .device = device};
	snprintf(setup->secret, sizeof setup->secret, "%s", secret);
	snprintf(setup->port, sizeof setup->port, "%d", port);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Is it "NAME = VALUE"? */
static bool is_shown(const char *line, const char *name, const char *value)
{
	char wanted[SETUP_COMMAND_MAX];

	snprintf(wanted, sizeof wanted, "%s = %s", name, value);
	return strcmp(line, wanted) == 0;
}

static void compare(struct setup *setup, const char *line)
{
	if (is_shown(line, NAME(SECRET), "(set)"))
		setup->was_set = true;
	for (int i = SECRET + 1; i < SETTING_COUNT; i++) {
		if (is_shown(line, NAME(i), value_of(setup, i)))
			setup->differ &= (uint16_t) ~(1u << i);
	}
}

/* The next `set`; false: nothing is left that differs. */
static bool next_set(struct setup *setup, char command[static SETUP_COMMAND_MAX])
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		if (!(setup->differ & 1u << i))
			continue;
		setup->differ &= (uint16_t) ~(1u << i);
		snprintf(command, SETUP_COMMAND_MAX, "set %s %s", NAME(i), value_of(setup, i));
		return true;
	}
	return false;
}

static void end(struct setup *setup, enum setup_state state)
{
	setup->state = state;
	explicit_bzero(setup->secret, sizeof setup->secret);
}

/* The command in hand was answered with "ok". */
static bool go_on(struct setup *setup, char command[static SETUP_COMMAND_MAX])
{
	switch (setup->state) {
	case SETUP_SHOWS:
		if (!setup->secret[0])
			setup->differ &= (uint16_t) ~(1u << SECRET);
		if (!setup->secret[0] && !setup->was_set) {
			end(setup, SETUP_FAILED);
			return false;
		}
		if (!next_set(setup, command)) {
			end(setup, SETUP_DONE);
			return false;
		}
		setup->state = SETUP_SETS;
		return true;
	case SETUP_SETS:
		if (next_set(setup, command))
			return true;
		setup->state = SETUP_SAVES;
		snprintf(command, SETUP_COMMAND_MAX, "save");
		return true;
	case SETUP_SAVES:
		end(setup, SETUP_DONE);
		return false;
	case SETUP_WAITS:
	case SETUP_DONE:
	case SETUP_FAILED:
		break;
	}
	return false;
}

bool setup_hear(struct setup *setup, const char *line, char command[static SETUP_COMMAND_MAX])
{
	if (setup->state == SETUP_DONE || setup->state == SETUP_FAILED)
		return false;
	if (begins(line, "hearth device ")) {
		setup->state = SETUP_SHOWS;
		setup->differ = (1u << SETTING_COUNT) - 1;
		setup->was_set = false;
		snprintf(command, SETUP_COMMAND_MAX, "show");
		return true;
	}
	if (strcmp(line, "ok") == 0)
		return go_on(setup, command);
	if (setup->state != SETUP_WAITS && begins(line, "error: "))
		end(setup, SETUP_FAILED);
	else if (setup->state == SETUP_SHOWS)
		compare(setup, line);
	return false;
}
