/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * names: see names.h.
 */
#include "names.h"

#include "flash.h"

const char *names_at(const char *names, uint8_t index)
{
	while (index-- > 0)
		names += strlen_P(names) + 1;
	return names;
}

uint8_t names_find(const char *names, const char *name)
{
	uint8_t index = 0;

	for (; pgm_read_byte(names) != '\0' && strcmp_P(name, names) != 0; index++)
		names = names_at(names, 1);
	return index;
}
