/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * uart: see uart.h. Received bytes go through a ring that the interrupt handler fills at its head and uart_read empties at its tail;
 * each is written by one of them only, and a byte is read and written at once, so nothing has to be locked.
 */
#include "uart.h"

#include "board.h"

#include <avr/interrupt.h>
#include <avr/io.h>

#define RING_SIZE 16
#define RING_MASK (RING_SIZE - 1)

/* With U2X eight samples a bit: 117,647 baud, 2.1 % too fast; without it, it would be 3.5 % too slow. */
#define DIVISOR ((BOARD_CPU_HZ + 4 * BOARD_BAUD) / (8 * BOARD_BAUD) - 1)

static volatile uint8_t ring[RING_SIZE];
static volatile uint8_t head, tail;

/* The status belongs to the byte that is read after it. What does not fit leaves a 0 in place of the newest that did. */
ISR(USART_RX_vect)
{
	uint8_t broken = UCSR0A & (_BV(FE0) | _BV(DOR0));
	uint8_t byte = UDR0;
	uint8_t next = (head + 1) & RING_MASK;

	if (next == tail) {
		ring[(head - 1) & RING_MASK] = 0;
		return;
	}
	ring[head] = broken ? 0 : byte;
	head = next;
}

void uart_init(void)
{
	UCSR0A = _BV(U2X0);
	UBRR0L = DIVISOR; /* from a reset on its high byte is 0, and 8N1 is set */
	UCSR0B = _BV(RXCIE0) | _BV(RXEN0) | _BV(TXEN0);
}

bool uart_read(uint8_t *byte)
{
	uint8_t at = tail;

	if (at == head)
		return false;
	*byte = ring[at];
	tail = (at + 1) & RING_MASK;
	return true;
}

static void send(uint8_t byte)
{
	loop_until_bit_is_set(UCSR0A, UDRE0);
	UDR0 = byte;
}

static void put(struct sink *sink, uint8_t byte)
{
	(void)sink;
	if (byte == '\n')
		send('\r');
	send(byte);
}

struct sink *uart_sink(void)
{
	static struct sink sink = {put};

	return &sink;
}
