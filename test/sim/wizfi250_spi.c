/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wizfi250_spi: two small state machines, one a direction, and the input buffer between wire and module.
 */
#include "wizfi250_spi.h"

#include "events.h"

#include <stdlib.h>

#define NOTHING 0xF0
#define ESCAPE  0xF1
#define FLOATS  0xFF

enum { CODE_F0, CODE_F1, CODE_SYNC, CODE_XON, CODE_XOFF };

#define STOP_AT 192

static void forget(struct wizfi250_spi *spi)
{
	spi->escaped = false;
	spi->half = false;
	spi->sync_due = false;
	spi->sync_expected = false;
	spi->stopped = false;
	spi->flow_due = false;
	spi->host_stopped = false;
	bytes_clear(&spi->in);
	bytes_clear(&spi->garbage);
}

void wizfi250_spi_init(struct wizfi250_spi *spi, struct wizfi250 *module)
{
	*spi = (struct wizfi250_spi){.module = module};
	bytes_init(&spi->in, spi->in_array, sizeof spi->in_array);
	bytes_init(&spi->garbage, spi->garbage_array, sizeof spi->garbage_array);
}

/* Sees the module go to sleep and wake up. */
static bool awake(struct wizfi250_spi *spi)
{
	const bool is_awake = wizfi250_awake(spi->module);

	if (is_awake == spi->awake)
		return is_awake;
	forget(spi);
	spi->awake = is_awake;
	spi->sync_due = is_awake;
	spi->sync_expected = is_awake;
	return is_awake;
}

static uint8_t begin_escape(struct wizfi250_spi *spi, uint8_t code)
{
	spi->half = true;
	spi->second = code;
	return ESCAPE;
}

static uint8_t next_out(struct wizfi250_spi *spi)
{
	uint8_t byte;

	if (spi->half) {
		spi->half = false;
		return spi->second;
	}
	if (bytes_get(&spi->garbage, &byte))
		return byte;
	if (spi->sync_due) {
		spi->sync_due = false;
		return begin_escape(spi, CODE_SYNC);
	}
	if (spi->flow_due) {
		spi->flow_due = false;
		return begin_escape(spi, spi->stopped ? CODE_XOFF : CODE_XON);
	}
	if (spi->host_stopped || !wizfi250_give(spi->module, &byte))
		return NOTHING;
	if (byte == NOTHING)
		return begin_escape(spi, CODE_F0);
	if (byte == ESCAPE)
		return begin_escape(spi, CODE_F1);
	return byte;
}

/* What the module has taken makes room; whether the host has to stop follows from what is left. */
static void drain(struct wizfi250_spi *spi, uint64_t now)
{
	uint8_t byte;

	while (wizfi250_wants(spi->module, now) && bytes_get(&spi->in, &byte))
		wizfi250_take(spi->module, byte, now);
	if (spi->stopped ? spi->in.count > 0 : spi->in.count < STOP_AT)
		return;
	spi->stopped = !spi->stopped;
	spi->flow_due = true;
}

static void store(struct wizfi250_spi *spi, uint8_t byte)
{
	if (bytes_put(&spi->in, byte))
		return;
	if (!spi->lost++)
		events_tell("module overrun");
}

static void take_escaped(struct wizfi250_spi *spi, uint8_t code)
{
	switch (code) {
	case CODE_F0:
		store(spi, NOTHING);
		break;
	case CODE_F1:
		store(spi, ESCAPE);
		break;
	case CODE_SYNC:
		spi->sync_due = !spi->sync_expected;
		spi->sync_expected = false;
		break;
	case CODE_XON:
	case CODE_XOFF:
		spi->host_stopped = code == CODE_XOFF;
		break;
	default:
		break;
	}
}

static void take_in(struct wizfi250_spi *spi, uint8_t byte)
{
	if (byte == NOTHING)
		return;
	if (byte == ESCAPE) {
		spi->escaped = true;
		return;
	}
	if (!spi->escaped) {
		store(spi, byte);
		return;
	}
	spi->escaped = false;
	take_escaped(spi, byte);
}

uint8_t wizfi250_spi_exchange(struct wizfi250_spi *spi, uint8_t mosi, uint64_t now)
{
	uint8_t miso;

	if (!awake(spi))
		return FLOATS;
	if (wizfi250_frozen(spi->module))
		return NOTHING;
	miso = next_out(spi);
	take_in(spi, mosi);
	drain(spi, now);
	return miso;
}

void wizfi250_spi_poll(struct wizfi250_spi *spi, uint64_t now)
{
	if (awake(spi) && !wizfi250_frozen(spi->module))
		drain(spi, now);
}

bool wizfi250_spi_ready(const struct wizfi250_spi *spi)
{
	if (!spi->awake || !wizfi250_awake(spi->module) || wizfi250_frozen(spi->module))
		return false;
	return spi->half || spi->garbage.count || spi->sync_due || spi->flow_due ||
	       (!spi->host_stopped && wizfi250_waiting(spi->module));
}

void wizfi250_spi_garbage(struct wizfi250_spi *spi, unsigned count)
{
	while (count--)
		bytes_put(&spi->garbage, (uint8_t)random());
}
