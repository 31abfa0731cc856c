/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * script_text: an argument is read whole or not at all.
 */
#include "script_text.h"

#include <stdlib.h>
#include <string.h>

bool script_text_whole(const char *text, long least, long most, long *value)
{
	char *end;

	*value = strtol(text, &end, 10);
	return end != text && !*end && *value >= least && *value <= most;
}

bool script_text_tenths(const char *text, int least, int most, int *value)
{
	char *end;
	const double number = strtod(text, &end);

	if (end == text || *end || !(number * 10 > least - 0.5 && number * 10 < most + 0.5))
		return false;
	*value = (int)(number * 10 + (number < 0 ? -0.5 : 0.5));
	return true;
}

int script_text_word(const char *text, const char *const words[])
{
	for (int i = 0; words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	return -1;
}

int script_text_on_off(const char *text)
{
	static const char *const words[] = {"off", "on", NULL};

	return script_text_word(text, words);
}

size_t script_text_hex(const char *text, uint8_t *bytes, size_t size)
{
	size_t count = 0;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		char digits[3] = "";

		if (count == size || strspn(text, "0123456789abcdefABCDEF") < 2)
			return 0;
		memcpy(digits, text, 2);
		bytes[count++] = (uint8_t)strtoul(digits, NULL, 16);
		text += 2;
	}
	return count;
}
