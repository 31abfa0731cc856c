/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wizfi250_spi: the module's end of its SPI wires, byte by byte.
 *
 *   F0 null    F1 00 a literal F0    F1 01 a literal F1    F1 02 sync    F1 03 XON    F1 04 XOFF
 *
 * A null is nothing at any place, between the two bytes of an escape too. The module sends a sync when it has started, and
 * answers the host's with the same. It has an input buffer of 256 bytes: when 192 are in it, it sends XOFF, and XON when
 * they were taken; what comes when it is full is lost and counted. The host may send XOFF and XON as well. While the module has no
 * power, is held in reset or starts, its output floats: FF.
 */
#ifndef SIM_WIZFI250_SPI_H
#define SIM_WIZFI250_SPI_H

#include "bytes.h"
#include "wizfi250.h"

#define WIZFI250_SPI_INPUT   256
#define WIZFI250_SPI_GARBAGE 4096

struct wizfi250_spi {
	struct wizfi250 *module;
	bool awake;
	bool escaped; /* the host's last byte was F1 */
	bool half;    /* `second` completes an escape of the module's */
	uint8_t second;
	bool sync_due, sync_expected;
	bool stopped;      /* XOFF is what the host was told last, or is to be told */
	bool flow_due;     /* and it has not been told */
	bool host_stopped; /* the host sent XOFF */
	unsigned long lost;
	struct bytes in, garbage;
	uint8_t in_array[WIZFI250_SPI_INPUT], garbage_array[WIZFI250_SPI_GARBAGE];
};

/* The struct must stay where it is. */
void wizfi250_spi_init(struct wizfi250_spi *spi, struct wizfi250 *module);
/* A byte each way. */
uint8_t wizfi250_spi_exchange(struct wizfi250_spi *spi, uint8_t mosi, uint64_t now);
/* To be called after wizfi250_poll. */
void wizfi250_spi_poll(struct wizfi250_spi *spi, uint64_t now);
/* The data-ready pin: high. */
bool wizfi250_spi_ready(const struct wizfi250_spi *spi);
/* Random bytes outside any protocol. */
void wizfi250_spi_garbage(struct wizfi250_spi *spi, unsigned count);

#endif
