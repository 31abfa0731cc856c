/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_marker: the empty file "accounts" in the state folder says that there are accounts, for when the state file, which has
 * them, cannot be read: a house that had locked its door is not to be found open then. Whoever means to go on without accounts
 * removes it.
 */
#ifndef HEARTH_STORAGE_MARKER_H
#define HEARTH_STORAGE_MARKER_H

#include <stdbool.h>

bool marker_is_set(const char *state_dir);

/* False, and errno says why, if the file can neither be found nor made. */
bool marker_set(const char *state_dir);

#endif
