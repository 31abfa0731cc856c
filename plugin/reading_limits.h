/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * reading_limits: is a reading what the series' config allows? Pure.
 */
#ifndef HEARTH_READING_LIMITS_H
#define HEARTH_READING_LIMITS_H

#include "config.h"
#include "reading.h"

/* READING_OK, READING_BAD_UNIT or READING_OUT_OF_RANGE. A reading without a unit has the right one. config may be NULL. */
enum reading_error limits_check(const struct config *config, const struct reading *reading);

#define LIMITS_WANTED_MAX 160

/* What would have been right instead, such as "a value from −40 to 85, as the config of this series says". */
void limits_wanted(const struct config *config, enum reading_error error, char out[static LIMITS_WANTED_MAX]);

#endif
