/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See modem.h: what is the same for every modem.
 */
#include "modem.h"

#include "flash.h"

/* By enum modem_trouble, each with its NUL: one text behind the other takes no table of addresses. */
static const char texts[] FLASH = "fine\0"
								  "no answer from the module\0"
								  "refused by the module\0"
								  "no such network, or wrong key\0"
								  "no address (DHCP)\0"
								  "network lost\0"
								  "the module restarted\0"
								  "no such name (DNS)\0"
								  "no connection";

const char *modem_trouble_text(enum modem_trouble trouble)
{
	const char *text = texts;

	for (uint8_t i = 0; i < (uint8_t)trouble; i++)
		text += strlen_P(text) + 1;
	return text;
}
