/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * secret: where provision gets secrets from: the environment, the terminal without an echo, a pipe. Never from arguments, which all users
 * of a machine can read.
 */
#ifndef PROVISION_SECRET_H
#define PROVISION_SECRET_H

#include <stdbool.h>
#include <stdio.h>

#define SECRET_MAX   64                          /* with NUL; the longest is a WiFi key of 63 */
#define SECRET_TOKEN (sizeof "hearth-" - 1 + 26) /* bytes of a secret that Hearth makes */

/* From a variable of the environment, which is then taken out of it. False: there is none, or it is too long (said on stderr). */
bool secret_from_environment(const char *name, char secret[static SECRET_MAX]);

/* Asks on the terminal. False: there is none, or nobody answered (said on stderr). An empty answer is one. */
bool secret_ask(const char *question, char secret[static SECRET_MAX]);

/*
 * Reads all and takes the one "hearth-" and 26 characters of base32 that stand alone in it, whatever is around them. False: there
 * is none, or two that differ (said on stderr).
 */
bool secret_find(FILE *in, char secret[static SECRET_MAX]);

#endif
