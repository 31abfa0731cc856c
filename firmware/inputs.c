/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * inputs: see inputs.h.
 *
 * The DHT answers on its one line with 42 falling edges. A bit lasts from one to the next: 50 µs low, then 26 µs high
 * for a 0 or 70 µs for a 1; so edges alone tell them apart, and an interrupt that comes 20 µs late does no harm:
 *
 *   ──┐ 80 ┌─80─┐ 50 ┌26┐ 50 ┌─70─┐ 50 ┌─ …
 *     └────┘    └────┘  └────┘    └────┘
 *    −2        −1        0 = 0     1 = 1          … edge 39 = the 40th bit
 *
 * The first two edges are the greeting. What comes after the last is not listened to, nor anything after two edges that
 * are nearer to each other than a 0: that is noise, which might otherwise pass for a telegram of nothing but zeros.
 */
#include "inputs.h"

#include "board.h"

#include <avr/interrupt.h>
#include <avr/io.h>

/* Timer2's steps, 4 µs; clock.c lets it run round and round. */
#define STEPS(us) ((us) / 4)

#define EDGE_FIRST (-2)
#define EDGE_NOISE (BITS + 1)
#define BITS       40
#define BIT_LEAST  STEPS(50)
#define BIT_ONE    STEPS(100)

/* The next edge, −2 … 40, in a register that is free for any use (GPIOR1 and 2: clock.c). */
#define EDGE GPIOR0

static volatile uint8_t last; /* TCNT2 at the edge before */

static uint8_t bytes[BITS / 8];

/* What the RAM came up with: each chip has its own. Volatile, or it would be taken for 0. */
static volatile uint16_t noise __attribute__((section(".noinit")));

ISR(PCINT2_vect)
{
	if (PIND & _BV(BOARD_DHT))
		return; /* a rising edge */
	uint8_t now = TCNT2;
	uint8_t gap = (uint8_t)(now - last);
	int8_t at = (int8_t)EDGE;
	last = now;

	if (at >= 0) {
		uint8_t *byte = &bytes[(uint8_t)at / 8];
		uint8_t bits = (uint8_t)(*byte << 1);
		if (gap > BIT_ONE)
			bits++;
		*byte = bits;
	}
	if (gap < BIT_LEAST && at != EDGE_FIRST)
		at = EDGE_NOISE;
	else
		at++;
	EDGE = (uint8_t)at;
	if (at >= BITS)
		PCICR = 0;
}

void inputs_init(void)
{
	/* No sensor connected: no fire. The DHT's line has its own pull-up. */
	PORTB |= _BV(BOARD_FLAME);
	PCMSK2 = _BV(PCINT23);

	ADMUX = _BV(REFS0) | BOARD_CDS; /* against AVcc */
	inputs_light();
}

uint16_t inputs_light(void)
{
	uint16_t light = ADC;
	ADCSRA = _BV(ADEN) | _BV(ADSC) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0); /* 125 kHz: 10 bits in 104 µs */
	return light;
}

bool inputs_flame(void)
{
	return !(PINB & _BV(BOARD_FLAME));
}

void inputs_dht_pull(void)
{
	DDRD |= _BV(BOARD_DHT);
}

void inputs_dht_release(void)
{
	EDGE = (uint8_t)EDGE_FIRST;
	DDRD &= (uint8_t)~_BV(BOARD_DHT);
	PCIFR = _BV(PCIF2); /* of the pull */
	PCICR = _BV(PCIE2);
}

const uint8_t *inputs_dht_answer(void)
{
	PCICR = 0;
	return EDGE == BITS ? bytes : NULL;
}

uint16_t inputs_noise(void)
{
	return noise ^ TCNT1;
}
