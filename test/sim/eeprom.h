/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * eeprom: the EEPROM's 1,024 bytes in a file, mode 0600, and power cuts in the middle of a write.
 *
 * simavr writes a byte in no time; here EEPE stays set for the chip's 3.4 ms. The file is written when a byte has changed, at
 * a power cut and at the end; a file that is not there is an erased EEPROM (FF).
 */
#ifndef SIM_EEPROM_H
#define SIM_EEPROM_H

#include "board.h"

#define EEPROM_BYTES 1024

struct eeprom;

/* NULL: the file cannot be read (said on stderr). Without a file (path NULL) it is kept in memory only. */
struct eeprom *eeprom_new(struct board *board, const char *path);
/* Writes the file first. */
void eeprom_free(struct eeprom *eeprom);
/* Writes the file if a byte has changed; false: it could not be written (said on stderr). */
bool eeprom_save(struct eeprom *eeprom);
/* Cuts the power in the middle of the `writes`th byte from now on, which is then any value; 0: never. */
void eeprom_cut(struct eeprom *eeprom, unsigned long writes);
/* The bytes; may be changed. */
uint8_t *eeprom_bytes(struct eeprom *eeprom);

#endif
