/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * clock: see clock.h. Timer2 counts 4 µs steps round and round, and each compare register is moved on from where it
 * just matched, never from the present count: so a late interrupt makes one step late and none lost, and the two do not
 * disturb each other.
 *
 *   compare A   + 250 steps: 1 ms
 *   compare B   + the next half wave of the tone, only while it sounds. The halves of a wave may differ by a step, so
 *               that the whole wave is right to 4 µs: 2000 Hz is 62 steps high and 63 low.
 *
 * TIFR2 is left alone: to clear compare B's flag there could lose the tick.
 */
#include "clock.h"

#include "board.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#define PRESCALER        64
#define STEPS_PER_SECOND (BOARD_CPU_HZ / PRESCALER)
#define STEPS_PER_MS     (STEPS_PER_SECOND / 1000)

_Static_assert(STEPS_PER_MS *PRESCALER * 1000 == BOARD_CPU_HZ, "the millisecond must be whole steps");
_Static_assert(STEPS_PER_MS < 256, "the millisecond must fit Timer2");

/* Not static: a simulation sets it to try the wrap. */
volatile uint32_t clock_count;

/* Steps of the tone's half waves, in registers that are free for any use. */
#define TONE_HIGH GPIOR1
#define TONE_LOW  GPIOR2

/*
 * OCR2A += STEPS_PER_MS; clock_count++; with one register, which is a third less than C makes of it. To add is to subtract what is
 * below zero, and a borrow goes from byte to byte.
 */
ISR(TIMER2_COMPA_vect, ISR_NAKED)
{
	__asm__ volatile("push r24\n"
	                 "in r24, __SREG__\n"
	                 "push r24\n"
	                 "lds r24, %0\n"
	                 "subi r24, -%1\n"
	                 "sts %0, r24\n"
	                 "lds r24, %2\n"
	                 "subi r24, 0xFF\n"
	                 "sts %2, r24\n"
	                 "lds r24, %2 + 1\n"
	                 "sbci r24, 0xFF\n"
	                 "sts %2 + 1, r24\n"
	                 "lds r24, %2 + 2\n"
	                 "sbci r24, 0xFF\n"
	                 "sts %2 + 2, r24\n"
	                 "lds r24, %2 + 3\n"
	                 "sbci r24, 0xFF\n"
	                 "sts %2 + 3, r24\n"
	                 "pop r24\n"
	                 "out __SREG__, r24\n"
	                 "pop r24\n"
	                 "reti\n" ::"i"(_SFR_MEM_ADDR(OCR2A)),
	                 "i"(STEPS_PER_MS), "i"(&clock_count));
}

ISR(TIMER2_COMPB_vect)
{
	PINC = _BV(BOARD_BUZZER); /* toggles it */
	OCR2B = (uint8_t)(OCR2B + (PORTC & _BV(BOARD_BUZZER) ? TONE_HIGH : TONE_LOW));
}

void clock_init(void)
{
	DDRC |= _BV(BOARD_BUZZER);
	TCCR2B = _BV(CS22); /* 1/64 */
	TIMSK2 = _BV(OCIE2A);
}

uint32_t clock_ms(void)
{
	uint32_t count;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		count = clock_count;
	}
	return count;
}

void clock_tone(uint16_t hz)
{
	if (hz == 0) {
		TIMSK2 = _BV(OCIE2A);
		PORTC &= (uint8_t)~_BV(BOARD_BUZZER);
		return;
	}
	/* The first half wave ends wherever compare B is, within a millisecond. A tone that sounds goes over without a gap. */
	uint16_t wave = (uint16_t)(STEPS_PER_SECOND / 4) / (hz / 4);
	TONE_HIGH = (uint8_t)(wave / 2);
	TONE_LOW = (uint8_t)(wave - wave / 2);
	TIMSK2 = _BV(OCIE2A) | _BV(OCIE2B);
}
