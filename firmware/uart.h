/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * uart: the USB console's wire, 115200 baud, 8N1. The interrupt handler moves bytes, the console parses. Hardware.
 */
#ifndef FIRMWARE_UART_H
#define FIRMWARE_UART_H

#include "text.h"

void uart_init(void);

/* The next byte that was typed; false: none. Where bytes were damaged, or came faster than they were read, there is a 0. */
bool uart_read(uint8_t *byte);

/* Where console text goes; each byte waits until it can be sent (87 µs). A "\n" is sent as CR LF. */
struct sink *uart_sink(void);

#endif
