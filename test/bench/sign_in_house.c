/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_house: see sign_in_house.h.
 */
#include "sign_in_house.h"

#include <stdio.h>

#define ADDRESS_FIRST 0x7f000002U /* 127.0.0.2 */
#define PATH_ROOM     (PATH_MAX + 32)

const char *const DOOR_NAMES[DOORS] = {"password file", "hearth"};

/* ---- people ---- */

static void make_person(const void *context, int n, struct sign_in_account *out)
{
	const struct sign_in_house *house = context;
	if (n < house->devices) {
		snprintf(out->user, sizeof(out->user), "home/uno%04d", n);
		snprintf(out->body, sizeof(out->body),
		         "{\"username\":\"home/uno%04d\",\"role\":\"device\",\"location\":\"home\",\"device\":\"uno%04d\","
		         "\"password\":\"%s\"}",
		         n, n, house->passwords.stored_secret);
	} else if (n < house->devices + HOUSE_RESIDENTS) {
		snprintf(out->user, sizeof(out->user), "resident%02d", n - house->devices);
		snprintf(out->body, sizeof(out->body), "{\"username\":\"%s\",\"role\":\"resident\",\"password\":\"%s\"}",
		         out->user, house->passwords.chosen);
	} else {
		snprintf(out->user, sizeof(out->user), HOUSE_PAIR);
		snprintf(out->body, sizeof(out->body),
		         "{\"username\":\"" HOUSE_PAIR "\",\"role\":\"service\",\"password\":\"%s\","
		         "\"grants\":[{\"allow\":\"all\",\"topic\":\"pair/#\"}]}",
		         house->passwords.stored_secret);
	}
}

bool sign_in_house_make(struct sign_in_house *house, struct fault *fault)
{
	char path[PATH_ROOM];
	int count = house->devices + HOUSE_RESIDENTS + 1;
	if (!sign_in_passwords_make(&house->passwords, fault)) {
		return false;
	}
	snprintf(path, sizeof(path), "%s/people", house->folder);
	if (!sign_in_accounts_write(path, count, make_person, house, fault)) {
		return false;
	}
	snprintf(path, sizeof(path), "%s/people.passwords", house->folder);
	return sign_in_password_file_write(path, count, make_person, house, house->passwords.mosquitto, fault);
}

const char *sign_in_house_password(const struct sign_in_house *house, enum sign_in_door door)
{
	return door == DOOR_HEARTH ? house->passwords.secret : SIGN_IN_PASSWORD;
}

/* ---- brokers ---- */

bool sign_in_house_start(const struct sign_in_house *house, enum sign_in_door door, struct server *server,
                         struct fault *fault)
{
	char folder[PATH_ROOM];
	char conf[3 * PATH_ROOM];
	snprintf(folder, sizeof(folder), "%s/broker", house->folder);
	if (door == DOOR_FILE) {
		snprintf(conf, sizeof(conf), "password_file %s/people.passwords\n", house->folder);
	} else {
		snprintf(conf, sizeof(conf), "plugin %s\nplugin_opt_state_dir %s/people\nplugin_opt_gauges_every 0\n",
		         house->hearth, house->folder);
	}
	return server_start(server, folder, house->mosquitto, conf, &house->pins, fault) ||
	       fault_add(fault, DOOR_NAMES[door]);
}

/* ---- who comes ---- */

void sign_in_house_device(const struct sign_in_house *house, enum sign_in_door door, int n, struct attempt *out)
{
	snprintf(out->user, sizeof(out->user), "home/uno%04d", n);
	snprintf(out->client_id, sizeof(out->client_id), "uno%04d", n);
	snprintf(out->password, sizeof(out->password), "%s", sign_in_house_password(house, door));
}

void sign_in_house_guess(const struct sign_in_house *house, int n, int addresses, struct attempt *out)
{
	switch (n % 4) {
	case 0:
		snprintf(out->user, sizeof(out->user), "resident%02d", n / 4 % HOUSE_RESIDENTS);
		break;
	case 1:
		snprintf(out->user, sizeof(out->user), "home/uno%04d", n / 4 % house->devices);
		break;
	default:
		snprintf(out->user, sizeof(out->user), "stranger%d", n);
		break;
	}
	snprintf(out->client_id, sizeof(out->client_id), "guess%d", n);
	snprintf(out->password, sizeof(out->password), "is it %d?", n);
	out->address = addresses > 1 ? ADDRESS_FIRST + (uint32_t)(n % addresses) : 0;
}
