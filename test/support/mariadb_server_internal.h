/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* mariadb_server_internal: what the two halves of mariadb_server share. Private to mariadb_server*.c. */
#ifndef TEST_MARIADB_SERVER_INTERNAL_H
#define TEST_MARIADB_SERVER_INTERNAL_H

#include "mariadb_server.h"

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#define OPTIONS_MAX 32

struct mariadb_server {
	struct mariadb_server *next;
	char *options[OPTIONS_MAX];
	size_t option_count;
	pid_t pid;   /* 0: does not run */
	pid_t owner; /* the process that made it: a fork of it leaves it alone */
	int port;    /* 0: does not listen */
	bool data_is_given;
	bool frozen;
	char user[64]; /* of this process; the server knows the owner of a socket's other end */
	char folder[64];
	char data[PATH_MAX];
	char socket[96];
	char log[96];
	char error[1024];
};

/* Sets the error's one line. Always returns false. */
bool mariadb_server_fault(struct mariadb_server *server, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the environment says, or the usual name. */
const char *mariadb_server_program_name(const char *variable, const char *usual);

/* Runs a program to its end, in and out NULL: /dev/null. False: its last complaint is the error. */
bool mariadb_server_program(struct mariadb_server *server, const char *const arguments[], const char *in,
                            const char *out);

#endif
