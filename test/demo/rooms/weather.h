/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * weather: publishes what it is like outside as outdoor/weather/temperature/value and …/humidity/value, as a service of some weather
 * office would, with an account that may do nothing else.
 */
#ifndef DEMO_WEATHER_H
#define DEMO_WEATHER_H

#include "day.h"

struct weather;

/* Signs in as `rooms` with the password in the first line of that file. NULL: it has said on stderr why not. */
struct weather *weather_new(int port, const char *password_file);
void weather_free(struct weather *weather);

/* Keeps the connection, and publishes every two seconds. To be called a few times a second. */
void weather_poll(struct weather *weather, const struct outdoor *outdoor, double now_seconds);

#endif
