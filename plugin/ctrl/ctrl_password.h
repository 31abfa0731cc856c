/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_password: where passwords come from: a file, the environment, the terminal without echo, or chance. What is given out
 * as a text of its own is to be wiped (explicit_bzero) and freed by who asked.
 */
#ifndef HEARTH_CTRL_PASSWORD_H
#define HEARTH_CTRL_PASSWORD_H

#include "ctrl_command.h"

#define CTRL_PASSWORD_MAX 1024 /* bytes of a password */

/* Four groups of five of these: 100 random bits, easy to read from a screen. */
#define CTRL_PASSWORD_ALPHABET  "abcdefghijklmnopqrstuvwxyz234567"
#define CTRL_PASSWORD_GENERATED 24 /* with NUL */
void ctrl_password_generate(char out[static CTRL_PASSWORD_GENERATED]);

/* The first line of a file, or of standard input ("-"). Not CTRL_OK: a line is in call->error. */
int ctrl_password_from_file(struct ctrl_call *call, const char *path, char **out);

/*
 * The password to sign in with, if there is a user name: -P, --password-file, HEARTH_PASSWORD, or asked for. It is
 * in call->connection.password then.
 */
int ctrl_password_sign_in(struct ctrl_call *call);

/*
 * A password that is to be: by the option `file_option`, --generate, or asked for twice. *generated: it has to be shown.
 * Where there is no terminal, one is made if `may_generate`.
 */
int ctrl_password_new(struct ctrl_call *call, const char *file_option, const char *whose, bool may_generate, char **out,
                      bool *generated);

#endif
