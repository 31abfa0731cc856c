/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outputs: see outputs.h. The timers make the waves; what is here only sets them.
 *
 * All are inverting fast PWM: a pin goes high behind its compare register's step and low at the period's end. So the top
 * step makes no pulse at all, without the spike that 0 has in the other mode, and there is no case to tell apart. A
 * register is taken over by its timer at the start of a period: a pulse is never cut short.
 *
 * A timer could begin with a compare register of 0, full on for a period. So the duties are written before it makes PWM
 * and again after, and the servos' pins are connected when one is set first, which is much later.
 *
 * No interrupt touches Timer1's 16-bit registers, which share one byte of latch.
 */
#include "outputs.h"

#include "board.h"
#include "clock.h"

#include <avr/io.h>

#define SERVO_PERIOD    40000U /* steps of 0.5 µs */
#define SERVO_STEPS(us) ((uint16_t)(2 * (us)))

void outputs_init(void)
{
	DDRC |= _BV(BOARD_MOTOR_FORWARD);
	DDRC |= _BV(BOARD_MOTOR_REVERSE);
	DDRD |= _BV(BOARD_LED);
	DDRD |= _BV(BOARD_MOTOR);
	DDRB |= _BV(BOARD_WINDOW);
	DDRB |= _BV(BOARD_DOOR);

	OCR0A = UINT8_MAX;
	OCR0B = UINT8_MAX;
	TCCR0A = _BV(COM0A1) | _BV(COM0A0) | _BV(COM0B1) | _BV(COM0B0) | _BV(WGM01) | _BV(WGM00);
	OCR0A = UINT8_MAX;
	OCR0B = UINT8_MAX;
	TCCR0B = _BV(CS01) | _BV(CS00); /* 1/64 */

	ICR1 = SERVO_PERIOD - 1;
	TCCR1A = _BV(WGM11);
	TCCR1B = _BV(WGM13) | _BV(WGM12) | _BV(CS11); /* mode 14, 1/8 */
	OCR1A = SERVO_PERIOD - 1;
	OCR1B = SERVO_PERIOD - 1;
}

void outputs_led(uint8_t duty)
{
	OCR0B = (uint8_t)~duty;
}

/* The direction pins are never both high. */
void outputs_motor(uint8_t duty, bool reverse)
{
	PORTC &= (uint8_t)~_BV(BOARD_MOTOR_FORWARD);
	PORTC &= (uint8_t)~_BV(BOARD_MOTOR_REVERSE);
	OCR0A = (uint8_t)~duty;
	if (duty == 0)
		return;
	if (reverse)
		PORTC |= _BV(BOARD_MOTOR_REVERSE);
	else
		PORTC |= _BV(BOARD_MOTOR_FORWARD);
}

/* OCR1B lies behind OCR1A. At 0 µs the compare register is the top step. */
__attribute__((noinline)) void outputs_servo(enum output_servo servo, uint16_t pulse_us)
{
	(&OCR1A)[servo] = (uint16_t)(SERVO_PERIOD - 1 - SERVO_STEPS(pulse_us));
	TCCR1A = _BV(COM1A1) | _BV(COM1A0) | _BV(COM1B1) | _BV(COM1B0) | _BV(WGM11);
}

void outputs_tone(uint16_t hz)
{
	clock_tone(hz);
}
