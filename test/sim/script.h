/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * script: the commands on stdin; what they are is written in rig_help.c.
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "rig.h"

/* Does what was asked for until now, but nothing behind a `run` that still runs. Sets rig->quit at the end of stdin. */
void script_poll(struct rig *rig);
/* Waits for something to do, at most `ms`. */
void script_wait(int ms);
/* Carries out one line. */
void script_line(struct rig *rig, char *line);

#endif
