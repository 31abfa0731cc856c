/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bus: the wires between processor and WiFi module: SPI with chip select (D4), data-ready (D3), reset (D2).
 *
 * simavr takes 100 µs for each SPI byte; here it takes what SPCR and SPSR say. While chip select is high the module hears
 * nothing and its output floats. The module starts with the board's power. It wants 10 µs between chip select and a byte, on
 * either side; the first time that it gets less is told as an error.
 */
#ifndef SIM_BUS_H
#define SIM_BUS_H

#include "board.h"
#include "wizfi250_spi.h"

struct bus;

struct bus *bus_new(struct board *board, struct wizfi250 *module);
void bus_free(struct bus *bus);
/* Lets the module see the time. To be called each slice. */
void bus_poll(struct bus *bus);
struct wizfi250_spi *bus_spi(struct bus *bus);

#endif
