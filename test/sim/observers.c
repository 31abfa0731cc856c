/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * observers: PWM is read off the timers' registers, which say more than simavr's pins: those follow neither mode 14's compare
 * registers nor a disconnected output. The buzzer's tone is made by the program, so there the edges are timed.
 */
#include "observers.h"

#include "events.h"
#include "registers.h"

#include <simavr/avr_ioport.h>
#include <stdlib.h>
#include <string.h>

#define SETTLES_US 100

#define LED_PIN     5
#define MOTOR_PIN   6
#define WINDOW_PIN  1
#define DOOR_PIN    2
#define BUZZER_PIN  1
#define FORWARD_PIN 2
#define REVERSE_PIN 3

#define WINDOW_EDGES 4
#define SILENCE_US   20000

struct buzzer {
	struct avr_irq_t *pin;
	uint64_t begun;    /* cycle of the edge that the window began with */
	unsigned edges;    /* behind it */
	unsigned previous; /* cycles of the window before this one; 0: none */
	unsigned told_hz;
};

struct observers {
	struct board *board;
	bool due;
	int led, motor, window, door;
	const char *direction;
	struct buzzer buzzer;
};

/* Timer0's output: `shift` is where its COM bits are. */
static int duty(const struct board *board, unsigned pin, uint8_t shift, uint16_t ocr)
{
	const unsigned control = board_register(board, REGISTER_TCCR0A);
	const unsigned com = control >> shift & 3U;
	const int compare = board_register(board, ocr);
	const enum board_pin level = board_pin(board, 'D', pin);

	if (level == BOARD_PIN_INPUT)
		return 0;
	if (com < 2)
		return level == BOARD_PIN_HIGH ? 255 : 0;
	if ((board_register(board, REGISTER_TCCR0B) & 7U) == 0)
		return 0;
	if (com == 3)
		return 255 - compare;
	/* Fast PWM with 0 is not dark: it has a spike of one step. */
	return compare ? compare : 1;
}

static const char *direction(const struct board *board)
{
	const bool forward = board_pin(board, 'C', FORWARD_PIN) == BOARD_PIN_HIGH;
	const bool reverse = board_pin(board, 'C', REVERSE_PIN) == BOARD_PIN_HIGH;

	if (forward == reverse)
		return "stopped";
	return forward ? "forward" : "reverse";
}

static unsigned register_16(const struct board *board, uint16_t low)
{
	return board_register(board, low) + 256U * board_register(board, (uint16_t)(low + 1));
}

/*
 * Timer1 in mode 14: the pulse is one step longer than the compare register says; the inverting one is what is left of the
 * period behind that. 0: no pulses.
 */
static int pulse(const struct board *board, unsigned pin, uint8_t shift, uint16_t ocr)
{
	static const unsigned dividers[] = {0, 1, 8, 64, 256, 1024, 0, 0};
	const unsigned a = board_register(board, REGISTER_TCCR1A);
	const unsigned b = board_register(board, REGISTER_TCCR1B);
	const unsigned com = a >> shift & 3U;
	const unsigned top = register_16(board, REGISTER_ICR1L);
	unsigned steps = register_16(board, ocr) + 1;

	if (board_pin(board, 'B', pin) == BOARD_PIN_INPUT || com < 2 || (a & 3U) != 2 || (b >> 3 & 3U) != 3)
		return 0;
	if (com == 3)
		steps = steps <= top ? top + 1 - steps : 0;
	return (int)(steps * dividers[b & 7U] / (BOARD_HZ / 1000000U));
}

static void tell_servo(const char *name, int us)
{
	if (us)
		events_tell("%s %d", name, us);
	else
		events_tell("%s off", name);
}

static void look(struct observers *observers)
{
	const struct board *board = observers->board;
	const int led = duty(board, LED_PIN, 4, REGISTER_OCR0B);
	const int motor = duty(board, MOTOR_PIN, 6, REGISTER_OCR0A);
	const int window = pulse(board, WINDOW_PIN, 6, REGISTER_OCR1AL);
	const int door = pulse(board, DOOR_PIN, 4, REGISTER_OCR1BL);
	const char *turns = direction(board);

	if (led != observers->led)
		events_tell("led %d", led);
	if (motor != observers->motor || strcmp(turns, observers->direction) != 0)
		events_tell("motor %d %s", motor, turns);
	if (window != observers->window)
		tell_servo("window", window);
	if (door != observers->door)
		tell_servo("door", door);
	observers->led = led;
	observers->motor = motor;
	observers->direction = turns;
	observers->window = window;
	observers->door = door;
}

static avr_cycle_count_t settled(struct avr_t *avr, avr_cycle_count_t when, void *parameter)
{
	struct observers *observers = parameter;

	(void)avr;
	(void)when;
	observers->due = false;
	look(observers);
	return 0;
}

static void written(void *context)
{
	struct observers *observers = context;

	if (observers->due)
		return;
	observers->due = true;
	avr_cycle_timer_register(board_avr(observers->board), BOARD_CYCLES(SETTLES_US), settled, observers);
}

/* ---- the buzzer ---- */

static void tell_buzzer(struct buzzer *buzzer, unsigned hz)
{
	if (hz != buzzer->told_hz)
		events_tell("buzzer %u", hz);
	buzzer->told_hz = hz;
}

static avr_cycle_count_t silence(struct avr_t *avr, avr_cycle_count_t when, void *parameter)
{
	struct buzzer *buzzer = &((struct observers *)parameter)->buzzer;

	(void)avr;
	(void)when;
	tell_buzzer(buzzer, 0);
	buzzer->begun = 0;
	buzzer->previous = 0;
	return 0;
}

static bool is_near(unsigned a, unsigned b, unsigned percent)
{
	const unsigned apart = a > b ? a - b : b - a;

	return apart * 100U <= a * percent;
}

/* A window of edges is over. The tone is told when two of them agree, and differ from what was told. */
static void measure(struct buzzer *buzzer, unsigned cycles)
{
	const unsigned hz = (unsigned)(((uint64_t)WINDOW_EDGES * BOARD_HZ + cycles) / (2U * cycles));

	if (buzzer->previous && is_near(buzzer->previous, cycles, 4)) {
		const unsigned both = buzzer->previous + cycles;
		const unsigned mean = (unsigned)(((uint64_t)2 * WINDOW_EDGES * BOARD_HZ + both) / (2U * both));

		if (!is_near(buzzer->told_hz, hz, 3))
			tell_buzzer(buzzer, mean);
	}
	buzzer->previous = cycles;
}

static void edge(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
	struct observers *observers = parameter;
	struct buzzer *buzzer = &observers->buzzer;
	struct avr_t *avr = board_avr(observers->board);

	if (value == irq->value)
		return;
	avr_cycle_timer_register(avr, BOARD_CYCLES(SILENCE_US), silence, observers);
	if (buzzer->begun && ++buzzer->edges < WINDOW_EDGES)
		return;
	if (buzzer->begun)
		measure(buzzer, (unsigned)(avr->cycle - buzzer->begun));
	buzzer->begun = avr->cycle;
	buzzer->edges = 0;
}

static void was_reset(void *context)
{
	struct observers *observers = context;

	observers->due = false;
	look(observers);
	tell_buzzer(&observers->buzzer, 0);
	observers->buzzer.begun = 0;
	observers->buzzer.previous = 0;
}

struct observers *observers_new(struct board *board)
{
	static const uint16_t registers[] = {REGISTER_PORT('B'), REGISTER_DDR('B'), REGISTER_PORT('C'), REGISTER_DDR('C'),
	                                     REGISTER_PORT('D'), REGISTER_DDR('D'), REGISTER_TCCR0A,    REGISTER_TCCR0B,
	                                     REGISTER_OCR0A,     REGISTER_OCR0B,    REGISTER_TCCR1A,    REGISTER_TCCR1B,
	                                     REGISTER_OCR1AL,    REGISTER_OCR1BL};
	struct observers *observers = calloc(1, sizeof *observers);

	if (!observers)
		return NULL;
	observers->board = board;
	observers->direction = "stopped";
	for (size_t i = 0; i < sizeof registers / sizeof *registers; i++)
		board_on_write(board, registers[i], written, observers);
	observers->buzzer.pin = avr_io_getirq(board_avr(board), (uint32_t)AVR_IOCTL_IOPORT_GETIRQ('C'), BUZZER_PIN);
	avr_irq_register_notify(observers->buzzer.pin, edge, observers);
	board_on_reset(board, was_reset, observers);
	return observers;
}

void observers_free(struct observers *observers)
{
	free(observers);
}
