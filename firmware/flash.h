/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * flash: constants that stay in program memory. An AVR copies every other constant to its 2,048 bytes of RAM at start; on the
 * host, where the pure modules are tested, there is no difference.
 *
 *   static const char name[] FLASH = "led";    text_flash(sink, name);    text_flash(sink, FLASH_TEXT("led"));
 */
#ifndef FIRMWARE_FLASH_H
#define FIRMWARE_FLASH_H

#include <stdint.h>
#include <string.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#define FLASH               PROGMEM
#define FLASH_TEXT(literal) PSTR(literal)
#else
#define FLASH
#define FLASH_TEXT(literal) (literal)
#define memcpy_P            memcpy
#define strlen_P            strlen
#define strcmp_P            strcmp
#define strncmp_P           strncmp
#define pgm_read_byte(at)   (*(const uint8_t *)(at))
#endif

#endif
