/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * board: simavr's processor between slices of time, and what a reset has to put right.
 *
 * A reset of any kind ends in on_reset, the last of simavr's own reset hooks: simavr resets by itself when the watchdog bites,
 * and through avr_reset otherwise. The cause is what was asked for, or else the watchdog.
 */
#include "board.h"

#include "events.h"
#include "registers.h"

#include <simavr/avr_extint.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_watchdog.h>
#include <simavr/sim_elf.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 48

/* `rjmp .` in the flash's last words but one, which no program reaches. */
#define HANG_AT 0x7FFC

/* How many instructions simavr runs at a stretch. Interrupts and timers end one. */
#define RUN_LIMIT 256

struct call {
	board_call call;
	void *context;
};

struct port {
	char name;
	uint8_t driven, level;
};

struct board {
	struct avr_t *avr;
	struct avr_io_t tail;
	bool powered, cut, crashed;
	enum board_reset cause;
	uint64_t time; /* of the last moment without power */
	struct port ports[3];
	struct call on_reset[CALLS_MAX], on_write[CALLS_MAX];
	unsigned resets, writes;
};

static const char *const cause_names[] = {
	[BOARD_RESET_POWER] = "power",
	[BOARD_RESET_EXTERNAL] = "external",
	[BOARD_RESET_BROWNOUT] = "brownout",
	[BOARD_RESET_WATCHDOG] = "watchdog",
};

static const uint8_t cause_flags[] = {
	[BOARD_RESET_POWER] = MCUSR_PORF,
	[BOARD_RESET_EXTERNAL] = MCUSR_EXTRF,
	[BOARD_RESET_BROWNOUT] = MCUSR_BORF,
	[BOARD_RESET_WATCHDOG] = MCUSR_WDRF,
};

static void log_to_stderr(struct avr_t *avr, const int level, const char *format, va_list arguments)
{
	(void)avr;
	if (level <= LOG_ERROR)
		vfprintf(stderr, format, arguments);
}

static void sleep_not(struct avr_t *avr, avr_cycle_count_t cycles)
{
	(void)avr;
	(void)cycles;
}

static struct port *find_port(struct board *board, char name)
{
	return &board->ports[name - 'B'];
}

/* simavr tells nobody of a level that it believes to be there already: after a reset it is not. */
static void raise_pin(struct board *board, const struct port *port, unsigned pin)
{
	struct avr_irq_t *irq = avr_io_getirq(board->avr, (uint32_t)AVR_IOCTL_IOPORT_GETIRQ(port->name), (int)pin);

	avr_irq_set_flags(irq, avr_irq_get_flags(irq) | IRQ_FLAG_INIT);
	avr_raise_irq(irq, (port->level >> pin) & 1);
}

static void drive_all(struct board *board)
{
	for (unsigned i = 0; i < 3; i++)
		for (unsigned pin = 0; pin < 8; pin++)
			if (board->ports[i].driven >> pin & 1)
				raise_pin(board, &board->ports[i], pin);
}

void board_drive(struct board *board, char name, unsigned pin, bool high)
{
	struct port *port = find_port(board, name);
	const uint8_t bit = (uint8_t)(1U << pin);
	struct avr_ioport_external_t external = {0};

	if ((port->driven & bit) && !(port->level & bit) == !high)
		return;
	port->driven |= bit;
	port->level = high ? port->level | bit : port->level & (uint8_t)~bit;
	external.mask = port->driven;
	external.value = port->level;
	avr_ioctl(board->avr, (uint32_t)AVR_IOCTL_IOPORT_SET_EXTERNAL(name), &external);
	if (board_pin(board, name, pin) == BOARD_PIN_INPUT)
		raise_pin(board, port, pin);
}

enum board_pin board_pin(const struct board *board, char port, unsigned pin)
{
	if (!(board->avr->data[REGISTER_DDR(port)] >> pin & 1))
		return BOARD_PIN_INPUT;
	return board->avr->data[REGISTER_PORT(port)] >> pin & 1 ? BOARD_PIN_HIGH : BOARD_PIN_LOW;
}

uint8_t board_register(const struct board *board, uint16_t address)
{
	return board->avr->data[address];
}

static void tell_all(struct board *board)
{
	for (unsigned i = 0; i < board->resets; i++)
		board->on_reset[i].call(board->on_reset[i].context);
}

static void on_reset(struct avr_io_t *io)
{
	struct board *board = (struct board *)((char *)io - offsetof(struct board, tail));
	struct avr_t *avr = board->avr;

	avr->run_cycle_limit = RUN_LIMIT;
	avr_extint_set_strict_lvl_trig(avr, 0, 0);
	avr_extint_set_strict_lvl_trig(avr, 1, 0);
	avr->data[REGISTER_MCUSR] |= cause_flags[board->cause];
	board->crashed = false;
	if (board->powered)
		events_tell("reset %s", cause_names[board->cause]);
	board->cause = BOARD_RESET_WATCHDOG;
	drive_all(board);
	tell_all(board);
}

static void append_tail(struct board *board)
{
	struct avr_io_t *last = board->avr->io_port;

	while (last->next)
		last = last->next;
	board->tail = (struct avr_io_t){.avr = board->avr, .kind = "board", .reset = on_reset};
	last->next = &board->tail;
}

static void free_firmware(struct elf_firmware_t *firmware)
{
	for (uint32_t i = 0; i < firmware->symbolcount; i++)
		free(firmware->symbol[i]);
	free(firmware->symbol);
	free(firmware->flash);
	free(firmware->eeprom);
	free(firmware->fuse);
	free(firmware->lockbits);
}

struct board *board_new(const char *elf)
{
	struct board *board = calloc(1, sizeof *board);
	struct elf_firmware_t firmware = {0};

	if (!board)
		return NULL;
	avr_global_logger_set(log_to_stderr);
	if (elf_read_firmware(elf, &firmware) || !firmware.flashsize) {
		fprintf(stderr, "rig: %s is no ELF for an AVR\n", elf);
		goto fail;
	}
	board->avr = avr_make_mcu_by_name("atmega328p");
	if (!board->avr || avr_init(board->avr))
		goto fail;
	/* What a programmer of the board cannot write: Optiboot leaves the EEPROM alone. */
	firmware.eesize = 0;
	avr_load_firmware(board->avr, &firmware);
	board->avr->frequency = BOARD_HZ;
	board->avr->vcc = board->avr->avcc = board->avr->aref = 5000;
	board->avr->sleep = sleep_not;
	board->avr->codeend = board->avr->flashend;
	board->avr->flash[HANG_AT] = 0xFF;
	board->avr->flash[HANG_AT + 1] = 0xCF;
	for (unsigned i = 0; i < 3; i++)
		board->ports[i].name = (char)('B' + i);
	append_tail(board);
	free_firmware(&firmware);
	return board;

fail:
	free_firmware(&firmware);
	free(board);
	return NULL;
}

void board_free(struct board *board)
{
	if (!board)
		return;
	/* The tail is no module of simavr's. */
	for (struct avr_io_t *io = board->avr->io_port; io; io = io->next)
		if (io->next == &board->tail)
			io->next = NULL;
	avr_terminate(board->avr);
	free(board->avr);
	free(board);
}

struct avr_t *board_avr(struct board *board)
{
	return board->avr;
}

uint64_t board_us(const struct board *board)
{
	return board->avr->cycle / (BOARD_HZ / 1000000U);
}

bool board_powered(const struct board *board)
{
	return board->powered;
}

void board_on_reset(struct board *board, board_call call, void *context)
{
	if (board->resets < CALLS_MAX)
		board->on_reset[board->resets++] = (struct call){call, context};
}

static void on_write(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
	const struct call *call = parameter;

	(void)irq;
	(void)value;
	call->call(call->context);
}

void board_on_write(struct board *board, uint16_t address, board_call call, void *context)
{
	struct call *place = &board->on_write[board->writes];

	if (board->writes == CALLS_MAX)
		return;
	board->writes++;
	*place = (struct call){call, context};
	avr_irq_register_notify(avr_iomem_getirq(board->avr, address, NULL, AVR_IOMEM_IRQ_ALL), on_write, place);
}

/* A bite that was due when the power went must not come back with it. */
static void forget_watchdog(struct board *board)
{
	board->avr->run = avr_callback_run_raw;
	for (struct avr_io_t *io = board->avr->io_port; io; io = io->next)
		if (strcmp(io->kind, "watchdog") == 0)
			((struct avr_watchdog_t *)io)->reset_context.wdrf = 0;
}

void board_reset(struct board *board, enum board_reset cause)
{
	if (!board->powered)
		return;
	forget_watchdog(board);
	board->cause = cause;
	avr_reset(board->avr);
}

void board_power(struct board *board, bool on)
{
	if (on == board->powered)
		return;
	forget_watchdog(board);
	board->powered = on;
	if (!on)
		events_tell("power off");
	board->cause = BOARD_RESET_POWER;
	/* What RAM holds when the power comes is chance. */
	for (unsigned address = 0; address < 0x20; address++)
		board->avr->data[address] = (uint8_t)random();
	for (unsigned address = RAM_BEGIN; on && address <= RAM_END; address++)
		board->avr->data[address] = (uint8_t)random();
	avr_reset(board->avr);
}

void board_cut(struct board *board)
{
	board->cut = true;
}

void board_hang(struct board *board)
{
	board->avr->pc = HANG_AT;
	board->avr->sreg[S_I] = 0;
	board->avr->interrupt_state = 0;
	if (board->powered && !board->crashed)
		board->avr->state = cpu_Running;
}

static avr_cycle_count_t end_slice(struct avr_t *avr, avr_cycle_count_t when, void *parameter)
{
	(void)avr;
	(void)when;
	(void)parameter;
	return 0;
}

void board_run(struct board *board, uint64_t until)
{
	struct avr_t *avr = board->avr;

	if (board->powered && !board->crashed && avr->cycle < until)
		avr_cycle_timer_register(avr, until - avr->cycle, end_slice, board);
	while (board->powered && !board->crashed && (avr->cycle < until || avr->run != avr_callback_run_raw)) {
		const int state = avr_run(avr);

		if (state == cpu_Crashed || state == cpu_Done) {
			events_tell("error the program crashed at 0x%04x", (unsigned)avr->pc);
			board->crashed = true;
		}
		if (board->cut) {
			board->cut = false;
			board_power(board, false);
		}
	}
	if (avr->cycle < until)
		avr->cycle = until;
}
