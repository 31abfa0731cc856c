/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* place: see place.h. */
#include "place.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define NOT_TOLD INT32_MIN
/* Their least and most are what the sensors can tell. */
#define TEMPERATURE_LEAST (-40.0)
#define TEMPERATURE_MOST  80.0

/*
 * Reads the secret that `mosquitto_ctrl hearth device add` wrote: the word behind "secret". No file: the board has it already.
 * False: a file that is of no use, or neither a file nor a board that was set up before.
 */
static bool read_secret(const struct place *place, const char *eeprom, char secret[static SETUP_SECRET_MAX])
{
	char line[128];
	bool found = false;
	FILE *file = fopen(place->secret_file, "re");

	secret[0] = '\0';
	if (!file && errno == ENOENT && access(eeprom, F_OK) == 0)
		return true;
	if (!file) {
		fprintf(stderr, "rooms: %s: %s\n", place->secret_file, strerror(errno));
		return false;
	}
	while (!found && fgets(line, sizeof line, file))
		found = sscanf(line, "secret %41s", secret) == 1;
	explicit_bzero(line, sizeof line);
	fclose(file);
	if (!found)
		fprintf(stderr, "rooms: %s: wanted what mosquitto_ctrl hearth device add shows\n", place->secret_file);
	return found;
}

bool place_start(struct place *place, const struct place_files *files, int port, double hour)
{
	char eeprom[sizeof place->secret_file], secret[SETUP_SECRET_MAX];

	snprintf(eeprom, sizeof eeprom, "%s/%s.eeprom", files->folder, place->location);
	snprintf(place->secret_file, sizeof place->secret_file, "%s/%s.secret", files->folder, place->location);
	if (!read_secret(place, eeprom, secret))
		return false;
	setup_init(&place->setup, place->location, place->device, secret, port);
	explicit_bzero(secret, sizeof secret);
	place->outputs = outputs_at_start;
	place->room = room_settled(&place->build, hour);
	place->told.temperature = place->told.humidity = place->told.light = NOT_TOLD;
	place->runs = board_start(&place->board, files->rig, files->elf, eeprom);
	if (!place->runs)
		fprintf(stderr, "rooms: %s: %s\n", files->rig, strerror(errno));
	return place->runs;
}

/* ---- what the board tells ---- */

static void say_if(const struct place *place, bool was, bool is, const char *begins, const char *ends)
{
	if (was != is)
		clock_say("%s: %s", place->location, is ? begins : ends);
}

static void say_changes(const struct place *place, const struct outputs *before)
{
	const struct outputs *now = &place->outputs;

	say_if(place, before->motor > 0, now->motor > 0, "fan on", "fan off");
	say_if(place, before->led > 0, now->led > 0, "led on", "led off");
	say_if(place, outputs_window_open(before), outputs_window_open(now), "window open", "window shut");
	say_if(place, outputs_door_open(before), outputs_door_open(now), "door open", "door shut");
	say_if(place, before->buzzer_hz > 0, now->buzzer_hz > 0, "buzzer sounds", "buzzer silent");
}

static void hear_console(struct place *place, const char *line)
{
	const enum setup_state before = place->setup.state;
	char command[SETUP_COMMAND_MAX];

	if (setup_hear(&place->setup, line, command)) {
		board_command(&place->board, "type %s", command);
		explicit_bzero(command, sizeof command);
	}
	if (place->setup.state == before)
		return;
	if (place->setup.state == SETUP_DONE)
		unlink(place->secret_file);
	else if (place->setup.state == SETUP_FAILED)
		clock_say("%s: the board could not be set up: %s", place->location, line);
}

static void hear_module(const struct place *place, const char *line)
{
	static const char *const lines[][2] = {
		{"module connected", "connected to the broker"},
		{"module disconnected", "disconnected from the broker"},
		{"module left", "left the network"},
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (strncmp(line, lines[i][0], strlen(lines[i][0])) == 0)
			clock_say("%s/%s: %s", place->location, place->device, lines[i][1]);
}

static void hear(void *context, const char *line)
{
	static const char console[] = "console ";
	struct place *place = context;
	const struct outputs before = place->outputs;

	if (strncmp(line, console, sizeof console - 1) == 0)
		hear_console(place, line + sizeof console - 1);
	else if (outputs_hear(&place->outputs, line))
		say_changes(place, &before);
	else
		hear_module(place, line);
}

void place_poll(struct place *place)
{
	if (!place->runs || board_poll(&place->board, hear, place))
		return;
	place->runs = false;
	clock_say("%s: the board's simulation has ended", place->location);
}

/* ---- the room ---- */

static void tell_sensors(struct place *place, double hour)
{
	const struct room_outputs outputs = outputs_in_room(&place->outputs);
	const int temperature = (int)lround(place->room.temperature * 10);
	const int humidity = (int)lround(place->room.humidity * 10);
	const int light = room_light(&place->build, &outputs, hour);

	if (temperature != place->told.temperature)
		board_command(&place->board, "temperature %.1f", temperature / 10.0);
	if (humidity != place->told.humidity)
		board_command(&place->board, "humidity %.1f", humidity / 10.0);
	if (light != place->told.light)
		board_command(&place->board, "light %d", light);
	place->told.temperature = temperature;
	place->told.humidity = humidity;
	place->told.light = light;
}

void place_step(struct place *place, double hour, double hours)
{
	const struct room_outputs outputs = outputs_in_room(&place->outputs);

	room_step(&place->room, &place->build, &outputs, hour, hours);
	if (!place->runs)
		return;
	tell_sensors(place, hour + hours);
	if (place->flame_until > 0 && clock_seconds() >= place->flame_until) {
		place->flame_until = 0;
		board_command(&place->board, "flame off");
		clock_say("%s: the fire is out", place->location);
	}
}

void place_fire(struct place *place, double seconds)
{
	place->flame_until = clock_seconds() + seconds;
	board_command(&place->board, "flame on");
	clock_say("%s: fire, for %.0f seconds", place->location, seconds);
}

void place_wifi(struct place *place, bool on)
{
	board_command(&place->board, "wifi %s", on ? "on" : "off");
	clock_say("%s: the access point is %s", place->location, on ? "back" : "away");
}

void place_temperature(struct place *place, double degrees, bool is_change)
{
	const double wanted = is_change ? place->room.temperature + degrees : degrees;

	place->room.temperature = fmin(fmax(wanted, TEMPERATURE_LEAST), TEMPERATURE_MOST);
	clock_say("%s: the air is at %.1f °C now", place->location, place->room.temperature);
}

void place_write(const struct place *place, double hour, FILE *to)
{
	const struct outputs *outputs = &place->outputs;
	const struct room_outputs felt = outputs_in_room(outputs);

	fprintf(to, "%s %.1f °C %.0f %% light %d", place->location, place->room.temperature, place->room.humidity,
	        room_light(&place->build, &felt, hour));
	if (outputs->led > 0)
		fprintf(to, " led %d", outputs->led);
	fprintf(to, "%s%s%s%s", outputs->motor > 0 ? " fan on" : "", outputs_window_open(outputs) ? " window open" : "",
	        outputs_door_open(outputs) ? " door open" : "", outputs->buzzer_hz > 0 ? " buzzer" : "");
}
