/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker_conf: what the broker's own configuration says that a plugin is not told.
 */
#ifndef HEARTH_BROKER_CONF_H
#define HEARTH_BROKER_CONF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True if the broker's configuration (the file behind -c in a NUL-separated command line as in /proc/self/cmdline, and
 * its include_dir) sets per_listener_settings true: then each listener has plugins of its own and, on 2.0.11, timers
 * never run. A file that cannot be read counts as not setting it. Paths are relative to the working folder, as the
 * broker's are.
 */
bool broker_conf_per_listener(const char *command_line, size_t len);

#endif
