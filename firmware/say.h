/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * say: what is printed on the console. One place, known when linking, so that each of the many calls is short. Pure over uart.h.
 */
#ifndef FIRMWARE_SAY_H
#define FIRMWARE_SAY_H

#include <stdint.h>

void say_byte(uint8_t byte);
/* The texts are in program memory. */
void say(const char *text);
void say_line(const char *text);
void say_number(uint16_t number);

#endif
