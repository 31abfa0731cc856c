/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* outputs: see outputs.h. */
#include "outputs.h"

#include <stdlib.h>
#include <string.h>

#define FULL_DUTY 255.0

/* The servos' pulses, as the firmware's settings have them by default. */
#define SHUT_US 1000
#define OPEN_US 2000
#define HALF_US ((SHUT_US + OPEN_US) / 2)

const struct outputs outputs_at_start = {.window_us = SHUT_US, .door_us = SHUT_US};

/* "NAME NUMBER…": takes the number. What is no number, as "off" of a servo that is let go, changes nothing. */
static bool take(const char *line, const char *name, int *number)
{
	const size_t length = strlen(name);
	char *end;

	if (strncmp(line, name, length) != 0 || line[length] != ' ')
		return false;
	const long level = strtol(line + length, &end, 10);
	if (end == line + length)
		return false;
	*number = (int)level;
	return true;
}

bool outputs_hear(struct outputs *outputs, const char *line)
{
	return take(line, "led", &outputs->led) || take(line, "motor", &outputs->motor) ||
	       take(line, "window", &outputs->window_us) || take(line, "door", &outputs->door_us) ||
	       take(line, "buzzer", &outputs->buzzer_hz);
}

struct room_outputs outputs_in_room(const struct outputs *outputs)
{
	const double window = (double)(outputs->window_us - SHUT_US) / (OPEN_US - SHUT_US);

	return (struct room_outputs){
		.fan = outputs->motor / FULL_DUTY,
		.lamp = outputs->led / FULL_DUTY,
		.window = window < 0   ? 0
	              : window > 1 ? 1
	                           : window,
	};
}

bool outputs_window_open(const struct outputs *outputs)
{
	return outputs->window_us >= HALF_US;
}

bool outputs_door_open(const struct outputs *outputs)
{
	return outputs->door_us >= HALF_US;
}
