/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_request: a call's arguments and options → its connection and its request.
 */
#ifndef HEARTH_CTRL_REQUEST_H
#define HEARTH_CTRL_REQUEST_H

#include "ctrl_command.h"

#include <stdint.h>

/* See ctrl_parse. CTRL_OK, or CTRL_USAGE with a line in call->error. */
int ctrl_request_fill(struct ctrl_call *call, int64_t now_us);

#endif
