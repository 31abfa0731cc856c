/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* room: see room.h. */
#include "room.h"

#include <math.h>

#define CELLAR_TEMPERATURE 23
#define CELLAR_HUMIDITY    50
/* Less than the 50 below which the lamp is dimmed by the light: or else its own light would switch it off, and on again. */
#define LAMP_LIGHT     20
#define CONVERTER_MOST 1023
#define HUMIDITY_LEAST 5
#define HUMIDITY_MOST  98
/* A day before, in quarters of an hour. */
#define SETTLING_STEPS  96
#define SETTLING_STEP_H 0.25

static double clamp(double value, double least, double most)
{
	return fmin(fmax(value, least), most);
}

/* x' = gain + Σ rate · (air − x), solved for `hours`; `pull` is Σ rate · air. */
static double relax(double x, double rate, double pull, double gain, double hours)
{
	const double target = (pull + gain) / rate;

	return target + (x - target) * exp(-rate * hours);
}

void room_step(struct room *room, const struct room_build *build, const struct room_outputs *outputs, double hour,
               double hours)
{
	const struct outdoor outdoor = day_outdoor(hour);
	const double outside = build->leak + build->window * outputs->window;
	const double cellar = build->fan * outputs->fan;
	const double rate = outside + cellar;

	room->temperature = relax(room->temperature, rate, outside * outdoor.temperature + cellar * CELLAR_TEMPERATURE,
	                          build->sun_heat * outdoor.sun + build->people, hours);
	room->humidity = relax(room->humidity, rate, outside * outdoor.humidity + cellar * CELLAR_HUMIDITY,
	                       build->moisture * day_evening(hour), hours);
	room->humidity = clamp(room->humidity, HUMIDITY_LEAST, HUMIDITY_MOST);
}

struct room room_settled(const struct room_build *build, double hour)
{
	const struct room_outputs shut = {0};
	const struct outdoor before = day_outdoor(hour);
	struct room room = {before.temperature, before.humidity};

	for (int left = SETTLING_STEPS; left > 0; left--)
		room_step(&room, build, &shut, hour - left * SETTLING_STEP_H, SETTLING_STEP_H);
	return room;
}

int room_light(const struct room_build *build, const struct room_outputs *outputs, double hour)
{
	const double light = build->light * day_outdoor(hour).sun + LAMP_LIGHT * outputs->lamp;

	return (int)lround(clamp(light, 0, CONVERTER_MOST));
}
