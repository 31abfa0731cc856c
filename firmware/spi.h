/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * spi: the SPI master and the three other wires to the WiFi module: chip select, data-ready, reset (board.h). Mode 0, fosc/4,
 * chip select around each byte with 10 µs on either side, as the module wants it. Hardware.
 */
#ifndef FIRMWARE_SPI_H
#define FIRMWARE_SPI_H

#include <stdbool.h>
#include <stdint.h>

void spi_init(void);

/* Sends one byte and returns the one that came for it. About 25 µs. */
uint8_t spi_exchange(uint8_t byte);

/* The module has bytes to be fetched. */
bool spi_data_ready(void);

/* Holds the module's reset, or lets it go. */
void spi_module_reset(bool held);

#endif
