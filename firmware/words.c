/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * words: see words.h. One behind the other and counted off: the least code, and fast enough for a command now and then.
 */
#include "words.h"

#include "flash.h"
#include "names.h"

static const char words[] FLASH = "led\0motor\0window\0door\0buzzer\0"
								  "temperature\0humidity\0illuminance\0fire\0"
								  "off\0false\0closed\0"
								  "on\0true\0open\0"
								  "alarm\0"
								  "0 to 255\0-255 to 255\0"
								  "0 to 100\0"
								  "0 to 100\0"
								  "500 to 5000, 0, 1 or alarm";

const char *word_text(uint8_t index)
{
	return names_at(words, index);
}

uint8_t word_find(const char *text, uint8_t length)
{
	uint8_t index = 0;

	for (; index < WORD_NONE; index++) {
		const char *word = word_text(index);
		if (strlen_P(word) == length && strncmp_P(text, word, length) == 0)
			break;
	}
	return index;
}
