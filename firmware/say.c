/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * say: see say.h.
 */
#include "say.h"

#include "uart.h"

void say_byte(uint8_t byte)
{
	text_put(uart_sink(), byte);
}

void say(const char *text)
{
	text_flash(uart_sink(), text);
}

void say_line(const char *text)
{
	say(text);
	say_byte('\n');
}

void say_number(uint16_t number)
{
	text_unsigned(uart_sink(), number);
}
