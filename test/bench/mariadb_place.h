/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mariadb_place: a MariaDB server for a benchmark, with an empty database that Hearth may use and no one else.
 *
 * It is set up as a household's server would be that has 2 GiB of memory: a buffer pool of 1 GiB, a redo log of 512 MiB,
 * and each COMMIT durable (innodb_flush_log_at_trx_commit=1).
 */
#ifndef BENCH_MARIADB_PLACE_H
#define BENCH_MARIADB_PLACE_H

#include "database.h"
#include "mariadb_server.h"

#include <limits.h>

struct mariadb_place {
	struct mariadb_server *server;
	struct database_place database;
	char location[PATH_MAX]; /* what follows "mariadb:" in plugin_opt_store */
	char version[64];        /* "MariaDB 10.11.19" */
};

/*
 * Installs and starts it; it dies with the calling thread. False with the reason in *fault. mariadb_place_free in any
 * case.
 */
bool mariadb_place_make(struct mariadb_place *place, struct fault *fault);
void mariadb_place_free(struct mariadb_place *place);

/* What failed last, as the fault. Always returns false. */
bool mariadb_place_complain(const struct mariadb_place *place, struct fault *fault);

#endif
