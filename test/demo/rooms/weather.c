/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* weather: see weather.h. The broker is on this machine, so connecting to it does not keep anybody waiting. */
#include "weather.h"

#include <errno.h>
#include <mosquitto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER        "rooms"
#define KEEPALIVE_S 30
#define EVERY_S     2
#define AGAIN_S     2

struct weather {
	struct mosquitto *client;
	int port;
	bool online;
	double next_connect, next_publish; /* seconds */
};

static void on_connect(struct mosquitto *client, void *context, int code)
{
	(void)client;
	((struct weather *)context)->online = code == 0;
}

static void on_disconnect(struct mosquitto *client, void *context, int code)
{
	(void)client;
	(void)code;
	((struct weather *)context)->online = false;
}

static bool read_password(const char *path, char password[static 128])
{
	FILE *file = fopen(path, "re");
	const bool found = file && fgets(password, 128, file);

	if (file)
		fclose(file);
	if (!found) {
		fprintf(stderr, "rooms: %s: %s\n", path, file ? "is empty" : strerror(errno));
		return false;
	}
	password[strcspn(password, "\r\n")] = '\0';
	return true;
}

struct weather *weather_new(int port, const char *password_file)
{
	char password[128];
	struct weather *weather;
	bool fine = false;

	if (!read_password(password_file, password))
		return NULL;
	mosquitto_lib_init();
	weather = calloc(1, sizeof *weather);
	if (weather) {
		weather->port = port;
		weather->client = mosquitto_new(NULL, true, weather);
		fine = weather->client && mosquitto_username_pw_set(weather->client, USER, password) == MOSQ_ERR_SUCCESS;
	}
	explicit_bzero(password, sizeof password);
	if (!fine) {
		fputs("rooms: no memory\n", stderr);
		weather_free(weather);
		return NULL;
	}
	mosquitto_connect_callback_set(weather->client, on_connect);
	mosquitto_disconnect_callback_set(weather->client, on_disconnect);
	return weather;
}

void weather_free(struct weather *weather)
{
	if (weather && weather->client) {
		mosquitto_disconnect(weather->client);
		mosquitto_destroy(weather->client);
	}
	free(weather);
	mosquitto_lib_cleanup();
}

static void publish(struct weather *weather, const char *topic, double value)
{
	char text[16];
	const int length = snprintf(text, sizeof text, "%.1f", value);

	mosquitto_publish(weather->client, NULL, topic, length, text, 0, false);
}

void weather_poll(struct weather *weather, const struct outdoor *outdoor, double now_seconds)
{
	if (mosquitto_socket(weather->client) < 0) {
		if (now_seconds < weather->next_connect)
			return;
		weather->next_connect = now_seconds + AGAIN_S;
		mosquitto_connect(weather->client, "127.0.0.1", weather->port, KEEPALIVE_S);
		return;
	}
	/* Reads what is there, writes what is due, and keeps the connection alive. */
	mosquitto_loop(weather->client, 0, 1);
	if (!weather->online || now_seconds < weather->next_publish)
		return;
	weather->next_publish = now_seconds + EVERY_S;
	publish(weather, "outdoor/weather/temperature/value", outdoor->temperature);
	publish(weather, "outdoor/weather/humidity/value", outdoor->humidity);
}
