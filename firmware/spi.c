/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * spi: see spi.h. A byte is waited for: at 4 MHz it takes 2 µs, less than an interrupt would.
 *
 * The AVR stays master only while D10 (SS), a servo's pin here, is an output: it is made one before SPI is switched on.
 */
#include "spi.h"

#include "board.h"

#include <avr/io.h>
#include <util/delay.h>

_Static_assert(F_CPU == BOARD_CPU_HZ, "the board's clock and the compiler's must be the same");

/* The SPI unit's own pins. */
#define PIN_MOSI PB3
#define PIN_SCK  PB5

#define SELECT_US 10

void spi_init(void)
{
	/* High before they are driven, so that the module sees no reset and no selection. */
	PORTD |= _BV(BOARD_MODULE_RESET);
	PORTD |= _BV(BOARD_MODULE_SELECT);
	DDRD |= _BV(BOARD_MODULE_RESET);
	DDRD |= _BV(BOARD_MODULE_SELECT);

	DDRB |= _BV(BOARD_DOOR);
	DDRB |= _BV(PIN_MOSI);
	DDRB |= _BV(PIN_SCK);
	SPCR = _BV(SPE) | _BV(MSTR);
}

uint8_t spi_exchange(uint8_t byte)
{
	PORTD &= (uint8_t)~_BV(BOARD_MODULE_SELECT);
	_delay_us(SELECT_US);
	SPDR = byte;
	while (!(SPSR & _BV(SPIF))) {
	}
	_delay_us(SELECT_US);
	PORTD |= _BV(BOARD_MODULE_SELECT);
	return SPDR;
}

bool spi_data_ready(void)
{
	return PIND & _BV(BOARD_MODULE_READY);
}

void spi_module_reset(bool held)
{
	if (held)
		PORTD &= (uint8_t)~_BV(BOARD_MODULE_RESET);
	else
		PORTD |= _BV(BOARD_MODULE_RESET);
}
