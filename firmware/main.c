/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * main: the parts put together, and the round they are polled in. Nothing in the round waits; a round that takes longer than the
 * watchdog's two seconds is a fault, and ends in a reset. Where to begin reading: device.h.
 */
#include "actuators.h"
#include "board.h"
#include "clock.h"
#include "console.h"
#include "device.h"
#include "flash.h"
#include "inputs.h"
#include "outbox.h"
#include "outputs.h"
#include "spi.h"
#include "uart.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>

#define PAINT 0xC5

_Static_assert(sizeof(struct settings) + OUTBOX_MAX * 6 + sizeof(struct mqtt_in) <= BOARD_STATIC_MAX - 400,
               "the three large ones leave room for all else");
_Static_assert(BOARD_STATIC_MAX + BOARD_STACK_MAX <= BOARD_RAM, "the stack does not meet what is static");

static struct settings settings;
static uint32_t boot;
static bool rebooting;

/* The stack's free bytes are painted, so that the deepest it ever was can be read from outside. Before any C, hence without a frame. */
__attribute__((naked, used, section(".init1"))) static void paint_stack(void)
{
	__asm__ volatile("ldi r30, lo8(_end)\n"
	                 "ldi r31, hi8(_end)\n"
	                 "ldi r24, %0\n"
	                 "ldi r25, hi8(%1 + 1)\n"
	                 "1: st Z+, r24\n"
	                 "cpi r30, lo8(%1 + 1)\n"
	                 "cpc r31, r25\n"
	                 "brne 1b\n" ::"M"(PAINT),
	                 "i"(RAMEND));
}

/* After a watchdog's reset it is still on, at its shortest, and must be seen to before the RAM is set up. */
__attribute__((naked, used, section(".init3"))) static void quiet_watchdog(void)
{
	MCUSR = 0;
	wdt_disable();
}

/* ---- what the modules ask of each other ---- */

void modem_heard(const char *line)
{
	console_network(line);
}

void link_scanned(enum modem_trouble trouble)
{
	console_scanned(trouble == MODEM_FINE ? NULL : modem_trouble_text(trouble));
}

static void write_line(struct sink *sink, const char *name, uint32_t number)
{
	text_flash(sink, name);
	text_unsigned(sink, number);
	text_put(sink, '\n');
}

void console_write_status(struct sink *sink)
{
	link_write_status(sink);
	write_line(sink, FLASH_TEXT("boot: "), boot);
	write_line(sink, FLASH_TEXT("readings kept: "), outbox_kept());
	write_line(sink, FLASH_TEXT("readings lost: "), outbox_lost());
}

bool console_scan(void)
{
	link_scan();
	return true;
}

void console_changing(void)
{
	link_stop();
}

void console_changed(void)
{
	sensors_init((enum dht_kind)settings.dht, clock_ms());
	link_restart();
}

void console_reboot(void)
{
	rebooting = true;
}

/* ---- start and round ---- */

static void start_hardware(void)
{
	outputs_init();
	clock_init();
	uart_init();
	inputs_init();
	spi_init();
	sei();
	wdt_enable(WDTO_2S);
	wdt_reset();
}

static void start(void)
{
	uint16_t noise = inputs_noise();
	enum settings_found found = settings_load(&settings);
	uint32_t now_ms = clock_ms();

	/* A count that was lost goes on where it hardly was before. */
	boot = settings_count_start(noise);
	actuators_init(&settings);
	sensors_init((enum dht_kind)settings.dht, now_ms);
	outbox_init(boot);
	device_init(&settings, now_ms);
	console_init(&settings);
	console_banner(boot);
	if (found == SETTINGS_MENDED)
		text_flash(uart_sink(), FLASH_TEXT("\na damaged copy of the settings was mended\n> "));
	link_init(&settings, (uint16_t)(noise ^ boot));
}

int main(void)
{
	start_hardware();
	start();
	SMCR = 1 << SE; /* idle */
	for (;;) {
		uint32_t now_ms = clock_ms();
		sensors_poll(now_ms);
		device_poll(now_ms);
		link_poll(now_ms);
		console_poll(now_ms);
		if (!rebooting)
			wdt_reset();
		/* At most to the next millisecond. What the module says while nobody listens keeps nobody awake. */
		if (!spi_data_ready() || link_state() == LINK_WAITING)
			sleep_cpu();
	}
}
