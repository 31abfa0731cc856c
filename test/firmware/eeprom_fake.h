/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * eeprom_fake: an array in place of the EEPROM, whose power can be cut in the middle of a write.
 */
#ifndef TEST_EEPROM_FAKE_H
#define TEST_EEPROM_FAKE_H

#include "eeprom.h"

#include <setjmp.h>

extern uint8_t eeprom_bytes[EEPROM_SIZE];
extern unsigned eeprom_writes; /* bytes written since eeprom_erase */

void eeprom_erase(void);

/* The power is cut in the write after `after` more: that byte becomes `torn`, and it goes on at `eeprom_cut`. −1: never. */
extern jmp_buf eeprom_cut;
void eeprom_cut_after(int after, uint8_t torn);

#endif
