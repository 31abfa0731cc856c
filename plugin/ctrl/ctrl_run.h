/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_run: what rows do beyond one request and its answer.
 */
#ifndef HEARTH_CTRL_RUN_H
#define HEARTH_CTRL_RUN_H

#include "ctrl_command.h"

/* In place of asking once and printing; ctrl_init.c, ctrl_backup.c, ctrl_migrate.c, ctrl_account.c. */
int ctrl_run_init(struct ctrl_call *call);
int ctrl_run_list(struct ctrl_call *call);
int ctrl_run_account_secret(struct ctrl_call *call);
int ctrl_run_backup(struct ctrl_call *call);
int ctrl_run_restore(struct ctrl_call *call);
int ctrl_run_import(struct ctrl_call *call);
int ctrl_run_migrate(struct ctrl_call *call);

/* Add to the request. */
int ctrl_prepare_list_accounts(struct ctrl_call *call);
int ctrl_prepare_grant(struct ctrl_call *call);
int ctrl_prepare_latest(struct ctrl_call *call);
int ctrl_prepare_history(struct ctrl_call *call);
int ctrl_prepare_config(struct ctrl_call *call);

/* Does what the row says: prepare, run or ask, print. Not CTRL_OK: a line is in call->error. */
int ctrl_run(struct ctrl_call *call);

#endif
