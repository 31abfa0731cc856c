/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See modem.h: what is the same for every modem.
 */
#include "modem.h"

#include "flash.h"
#include "names.h"

/* By enum modem_trouble. */
static const char texts[] FLASH = "fine\0"
								  "fault of the WiFi module\0"
								  "no such network, or wrong key\0"
								  "no address (DHCP)\0"
								  "network lost\0"
								  "no such name (DNS)\0"
								  "no connection";

const char *modem_trouble_text(enum modem_trouble trouble)
{
	return names_at(texts, (uint8_t)trouble);
}
