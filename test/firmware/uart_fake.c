/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * uart_fake: for tests that link what could write on the console and does not. A test of the console has its own.
 */
#include "uart.h"

#include <stddef.h>

__attribute__((weak)) struct sink *uart_sink(void)
{
	return NULL;
}
