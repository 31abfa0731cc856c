/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * reading_limits: see reading_limits.h.
 */
#include "reading_limits.h"

#include <math.h>
#include <stdio.h>

enum reading_error limits_check(const struct config *config, const struct reading *reading)
{
	if (config == NULL)
		return READING_OK;
	if (config->unit != NULL && reading->unit.len > 0 && !slice_is(reading->unit, config->unit))
		return READING_BAD_UNIT;
	if (reading->value.number < config->min || reading->value.number > config->max)
		return READING_OUT_OF_RANGE;
	return READING_OK;
}

void limits_wanted(const struct config *config, enum reading_error error, char out[static LIMITS_WANTED_MAX])
{
	static const char whose[] = "as the config of this series says";
	char low[NUMBER_TEXT_MAX], high[NUMBER_TEXT_MAX];
	struct value min = value_of_number(config->min), max = value_of_number(config->max);
	struct slice from = value_print(&min, low), to = value_print(&max, high);

	if (error == READING_BAD_UNIT)
		snprintf(out, LIMITS_WANTED_MAX, "the unit %s, %s", config->unit, whose);
	else if (!isfinite(config->min))
		snprintf(out, LIMITS_WANTED_MAX, "a value of at most %.*s, %s", (int)to.len, to.ptr, whose);
	else if (!isfinite(config->max))
		snprintf(out, LIMITS_WANTED_MAX, "a value of at least %.*s, %s", (int)from.len, from.ptr, whose);
	else
		snprintf(out, LIMITS_WANTED_MAX, "a value from %.*s to %.*s, %s", (int)from.len, from.ptr, (int)to.len, to.ptr,
		         whose);
}
