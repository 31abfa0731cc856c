/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mariadb_place: see mariadb_place.h.
 */
#include "mariadb_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER     "hearth"
#define DATABASE "hearth"

#define PREPARE                                                                                                        \
	"CREATE DATABASE " DATABASE ";"                                                                                    \
	"CREATE USER " USER "@localhost;"                                                                                  \
	"GRANT ALL ON " DATABASE ".* TO " USER "@localhost"

bool mariadb_place_complain(const struct mariadb_place *place, struct fault *fault)
{
	return fault_set(fault, "MariaDB: %s", place->server == NULL ? "no memory" : mariadb_server_error(place->server));
}

static bool start(const struct mariadb_place *place)
{
	return place->server != NULL && mariadb_server_option(place->server, "--innodb-buffer-pool-size=1G") &&
	       mariadb_server_option(place->server, "--innodb-log-file-size=512M") &&
	       mariadb_server_option(place->server, "--innodb-flush-log-at-trx-commit=1") &&
	       mariadb_server_start(place->server) && mariadb_server_run(place->server, NULL, PREPARE);
}

bool mariadb_place_make(struct mariadb_place *place, struct fault *fault)
{
	*place = (struct mariadb_place){.server = mariadb_server_new(NULL)};
	if (!start(place)) {
		return mariadb_place_complain(place, fault);
	}
	const char *socket = mariadb_server_socket(place->server);
	place->database = (struct database_place){.socket = socket, .user = USER, .name = DATABASE};
	snprintf(place->location, sizeof(place->location), "//" USER "@%s/" DATABASE, socket);
	char *version = mariadb_server_query(place->server, NULL, "SELECT VERSION()");
	if (version == NULL) {
		return mariadb_place_complain(place, fault);
	}
	snprintf(place->version, sizeof(place->version), "MariaDB %.*s", (int)strcspn(version, "-\n"), version);
	free(version);
	return true;
}

void mariadb_place_free(struct mariadb_place *place)
{
	mariadb_server_free(place->server);
	*place = (struct mariadb_place){0};
}
