/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * board: the simulated ATmega328P at 16 MHz with its power, resets and pins (simavr 1.6), running the firmware's ELF.
 *
 * What simavr does otherwise than the chip is mended here, so that the parts around the board need not know of it:
 * - a reset drops all of simavr's timers, zeroes PIN, and switches the polling of a low INT0 or INT1 pin on again: all pins are
 *   driven anew, and then the parts are told;
 * - a pin with its pull-up on reads high, whatever drives it, after any write to its port: driven pins override it;
 * - a program that sleeps must not sleep for real, nor beyond the end of a slice.
 *
 * Time is the processor's cycles, and goes on while the power is off.
 */
#ifndef SIM_BOARD_H
#define SIM_BOARD_H

#include <simavr/sim_avr.h>

#include <stdbool.h>
#include <stdint.h>

#define BOARD_HZ         16000000U
#define BOARD_CYCLES(us) ((uint64_t)(us) * (BOARD_HZ / 1000000U))

enum board_reset { BOARD_RESET_POWER, BOARD_RESET_EXTERNAL, BOARD_RESET_BROWNOUT, BOARD_RESET_WATCHDOG };

struct board;

/* Called with what was registered with it. */
typedef void (*board_call)(void *context);

/* The program is not started: the power is off. NULL: the ELF cannot be read (said on stderr). */
struct board *board_new(const char *elf);
void board_free(struct board *board);
struct avr_t *board_avr(struct board *board);
uint64_t board_us(const struct board *board);

/* Off: RAM and registers are lost, EEPROM is kept, outputs float. */
void board_power(struct board *board, bool on);
bool board_powered(const struct board *board);
void board_reset(struct board *board, enum board_reset cause);
/* The program counter goes to an endless loop with interrupts off. */
void board_hang(struct board *board);
/* Runs up to that cycle, or lets that much time pass. */
void board_run(struct board *board, uint64_t until);
/* Cuts the power at the end of the instruction that runs. */
void board_cut(struct board *board);

/* Told behind each reset, and when the power goes. */
void board_on_reset(struct board *board, board_call call, void *context);
/* Told behind each write of the program to an I/O register (data address). */
void board_on_write(struct board *board, uint16_t address, board_call call, void *context);

/* Drives an input of the port 'B', 'C' or 'D', 0 … 7, now and after each reset. */
void board_drive(struct board *board, char name, unsigned pin, bool high);
/* What the program does with a pin. */
enum board_pin { BOARD_PIN_INPUT, BOARD_PIN_LOW, BOARD_PIN_HIGH };
enum board_pin board_pin(const struct board *board, char port, unsigned pin);
/* An I/O register (data address). */
uint8_t board_register(const struct board *board, uint16_t address);

#endif
