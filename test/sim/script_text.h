/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * script_text: the script's arguments as values.
 */
#ifndef SIM_SCRIPT_TEXT_H
#define SIM_SCRIPT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal number in least … most, and nothing else. */
bool script_text_whole(const char *text, long least, long most, long *value);

/* "-12.5" → −125, within least … most tenths. */
bool script_text_tenths(const char *text, int least, int most, int *value);

/* The place of a word in a list that ends with NULL, or −1. */
int script_text_word(const char *text, const char *const words[]);

/* "off" 0, "on" 1, else −1. */
int script_text_on_off(const char *text);

/* Hexadecimal digits, spaces between bytes allowed. Returns how many bytes; 0: it is not that, or too much. */
size_t script_text_hex(const char *text, uint8_t *bytes, size_t size);

#endif
