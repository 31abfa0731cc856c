/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bus: simavr hands over each byte that goes out when its time is over; the module's answer is put in before the program sees
 * that the transfer is done.
 */
#include "bus.h"

#include "events.h"
#include "registers.h"

#include <simavr/avr_spi.h>
#include <stdlib.h>
#include <string.h>

#define MODULE_RESET  2
#define MODULE_READY  3
#define MODULE_SELECT 4

#define FLOATS 0xFF

/* The module's 10 µs, less what the program's own instructions may take of it. */
#define GAP_LEAST_CYCLES BOARD_CYCLES(9)

struct bus {
	struct board *board;
	struct wizfi250 *module;
	struct avr_irq_t *input;
	struct avr_io_t *spi_io; /* simavr's own, whose timer is the transfer */
	struct wizfi250_spi spi;
	bool powered, selected, gap_told;
	uint64_t edge; /* cycle at which chip select fell, or a byte was over */
};

static void show_ready(struct bus *bus)
{
	board_drive(bus->board, 'D', MODULE_READY, bus->powered && wizfi250_spi_ready(&bus->spi));
}

static void check_gap(struct bus *bus)
{
	const uint64_t gap = board_avr(bus->board)->cycle - bus->edge;

	if (gap >= GAP_LEAST_CYCLES || bus->gap_told)
		return;
	bus->gap_told = true;
	events_tell("error the module gets %u cycles between chip select and a byte", (unsigned)gap);
}

static void transferred(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
	struct bus *bus = parameter;
	uint8_t miso = FLOATS;

	(void)irq;
	if (bus->selected)
		miso = wizfi250_spi_exchange(&bus->spi, (uint8_t)value, board_us(bus->board));
	avr_raise_irq(bus->input, miso);
	bus->edge = board_avr(bus->board)->cycle;
	show_ready(bus);
}

/* Gives the transfer that simavr has just begun its true length. */
static void shorten(void *context)
{
	static const unsigned dividers[] = {4, 16, 64, 128};
	struct bus *bus = context;
	struct avr_t *avr = board_avr(bus->board);
	unsigned cycles = 8 * dividers[board_register(bus->board, REGISTER_SPCR) & SPCR_SPR];

	if (board_register(bus->board, REGISTER_SPSR) & SPSR_SPI2X)
		cycles /= 2;
	if (bus->selected)
		check_gap(bus);
	for (const struct avr_cycle_timer_slot_t *slot = avr->cycle_timers.timer; slot; slot = slot->next) {
		if (slot->param == bus->spi_io) {
			avr_cycle_timer_register(avr, cycles, slot->timer, slot->param);
			return;
		}
	}
}

static void pin_written(void *context)
{
	struct bus *bus = context;
	const bool selected = board_pin(bus->board, 'D', MODULE_SELECT) == BOARD_PIN_LOW;

	if (selected && !bus->selected)
		bus->edge = board_avr(bus->board)->cycle;
	else if (!selected && bus->selected)
		check_gap(bus);
	bus->selected = selected;
	wizfi250_pin(bus->module, board_pin(bus->board, 'D', MODULE_RESET) == BOARD_PIN_LOW, board_us(bus->board));
}

static void was_reset(void *context)
{
	struct bus *bus = context;
	const bool powered = board_powered(bus->board);

	bus->selected = false;
	if (powered != bus->powered) {
		bus->powered = powered;
		wizfi250_power(bus->module, powered, board_us(bus->board));
	}
	pin_written(bus);
	show_ready(bus);
}

struct bus *bus_new(struct board *board, struct wizfi250 *module)
{
	struct bus *bus = calloc(1, sizeof *bus);
	struct avr_t *avr = board_avr(board);

	if (!bus)
		return NULL;
	bus->board = board;
	bus->module = module;
	wizfi250_spi_init(&bus->spi, module);
	bus->input = avr_io_getirq(avr, AVR_IOCTL_SPI_GETIRQ(0), SPI_IRQ_INPUT);
	for (struct avr_io_t *io = avr->io_port; io; io = io->next)
		if (strcmp(io->kind, "spi") == 0)
			bus->spi_io = io;
	avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_SPI_GETIRQ(0), SPI_IRQ_OUTPUT), transferred, bus);
	board_on_write(board, REGISTER_SPDR, shorten, bus);
	board_on_write(board, REGISTER_PORT('D'), pin_written, bus);
	board_on_write(board, REGISTER_DDR('D'), pin_written, bus);
	board_on_reset(board, was_reset, bus);
	return bus;
}

void bus_free(struct bus *bus)
{
	free(bus);
}

void bus_poll(struct bus *bus)
{
	const uint64_t now = board_us(bus->board);

	wizfi250_poll(bus->module, now);
	wizfi250_spi_poll(&bus->spi, now);
	show_ready(bus);
}

struct wizfi250_spi *bus_spi(struct bus *bus)
{
	return &bus->spi;
}
