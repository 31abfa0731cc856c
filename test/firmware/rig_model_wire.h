/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rig_model_wire: rig_model_test's part about the module's end of the SPI wires: escapes, sync, flow control, and what is on
 * them while it sleeps, is frozen or talks nonsense.
 */
#ifndef RIG_MODEL_WIRE_H
#define RIG_MODEL_WIRE_H

#include "rig_model_fixture.h"
#include "wizfi250_spi.h"

static void forget_raw(struct scene *scene)
{
	scene->raw_length = 0;
	scene->raw[0] = '\0';
}

static uint8_t exchange(struct wizfi250_spi *spi, struct scene *scene, uint8_t byte)
{
	const uint8_t raw = wizfi250_spi_exchange(spi, byte, scene->now);

	if (raw != 0xF0 && scene->raw_length < sizeof scene->raw - 2)
		scene->raw_length += (size_t)snprintf(scene->raw + scene->raw_length, 3, "%02X", raw);
	return raw;
}

/* Fetches until the module has nothing more. All that came, also while something was put, must be this. */
static void fetch(struct wizfi250_spi *spi, struct scene *scene, const char *wanted)
{
	while (wizfi250_spi_ready(spi))
		exchange(spi, scene, 0xF0);
	assert_string_equal(scene->raw, wanted);
	assert_int_equal(exchange(spi, scene, 0xF0), 0xF0);
	forget_raw(scene);
}

static void put(struct wizfi250_spi *spi, struct scene *scene, const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		exchange(spi, scene, ((const uint8_t *)bytes)[i]);
}

static void put_text(struct wizfi250_spi *spi, struct scene *scene, const char *text)
{
	put(spi, scene, text, strlen(text));
}

static void wire_pass(struct wizfi250_spi *spi, struct scene *scene, unsigned ms)
{
	for (unsigned i = 0; i < 2 * ms; i++) {
		scene->now += 500;
		wizfi250_poll(scene->module, scene->now);
		wizfi250_spi_poll(spi, scene->now);
	}
}

static void wire_start(struct wizfi250_spi *spi, struct scene *scene)
{
	wizfi250_spi_init(spi, scene->module);
	assert_int_equal(exchange(spi, scene, 0xF0), 0xFF); /* it floats */
	assert_false(wizfi250_spi_ready(spi));
	wizfi250_power(scene->module, true, scene->now);
	wire_pass(spi, scene, 999);
	assert_int_equal(exchange(spi, scene, 0xF0), 0xFF);
	assert_false(wizfi250_spi_ready(spi));
	wire_pass(spi, scene, 1);
	assert_true(wizfi250_spi_ready(spi));
	assert_int_equal(exchange(spi, scene, 0xF0), 0xF1); /* its sync comes first */
	assert_int_equal(exchange(spi, scene, 0xF0), 0x02);
	for (const char *byte = BANNER; *byte; byte++)
		assert_int_equal(exchange(spi, scene, 0xF0), *byte);
	forget_raw(scene);
	fetch(spi, scene, "");
	put(spi, scene, "\xF1\x02", 2); /* the answer to its sync wants none */
	fetch(spi, scene, "");
	put_text(spi, scene, "AT+MECHO=0\r");
	wire_pass(spi, scene, 2);
	while (wizfi250_spi_ready(spi))
		exchange(spi, scene, 0xF0);
	forget_raw(scene);
}

static void escapes_both_ways(void **state)
{
	struct scene *scene = *state;
	struct wizfi250_spi spi;
	static const uint8_t command[] = {0xF0, 0xF0, 'A', 0xF0, 'T', 0xF0, '\r'};
	/* F0 a F1 b F0 F1, a null and a doubled escape among them. */
	static const uint8_t escapes[] = {0xF1, 0x00, 'a', 0xF1, 0x01, 'b', 0xF1, 0xF0, 0x00, 0xF1, 0xF1, 0x01};

	wire_start(&spi, scene);
	put(&spi, scene, command, sizeof command);
	wire_pass(&spi, scene, 2);
	fetch(&spi, scene, "5B4F4B5D0D0A"); /* [OK] */
	/* Echoed, so each byte is seen again. */
	put_text(&spi, scene, "AT+MECHO=1\r");
	wire_pass(&spi, scene, 2);
	fetch(&spi, scene, "5B4F4B5D0D0A");
	put(&spi, scene, escapes, sizeof escapes);
	fetch(&spi, scene, "F10061F10162F100F101");
	put(&spi, scene, "\xF1\x02", 2); /* the host's sync is answered */
	fetch(&spi, scene, "F102");
	put(&spi, scene, "\xF1\x04x", 3); /* the host wants nothing now */
	assert_false(wizfi250_spi_ready(&spi));
	put(&spi, scene, "\xF1\x03", 2);
	fetch(&spi, scene, "78");
	put(&spi, scene, "\xF1\x07y", 3); /* no such escape: nothing */
	fetch(&spi, scene, "79");
}

static void stops_the_host_when_its_buffer_fills(void **state)
{
	struct scene *scene = *state;
	struct wizfi250_spi spi;
	char many[300];

	wire_start(&spi, scene);
	memset(many, 'x', sizeof many);
	wizfi250_pause(scene->module, scene->now + 50000);
	put(&spi, scene, many, 191);
	assert_false(wizfi250_spi_ready(&spi));
	put(&spi, scene, many, 1);
	fetch(&spi, scene, "F104");
	put(&spi, scene, many, 64); /* 256 */
	assert_int_equal(spi.lost, 0);
	put(&spi, scene, many, 3);
	assert_int_equal(spi.lost, 3);
	wire_pass(&spi, scene, 49);
	assert_false(wizfi250_spi_ready(&spi));
	wire_pass(&spi, scene, 1);
	fetch(&spi, scene, "F103");
	put(&spi, scene, "\r", 1); /* 256 bytes were taken, and are a command */
	wire_pass(&spi, scene, 2);
	assert_int_equal(wizfi250_waiting(scene->module), strlen(INPUT));
}

static void floats_freezes_and_lies(void **state)
{
	struct scene *scene = *state;
	struct wizfi250_spi spi;
	unsigned count = 0;

	wire_start(&spi, scene);
	wizfi250_spi_garbage(&spi, 100);
	while (wizfi250_spi_ready(&spi)) {
		exchange(&spi, scene, 0xF0);
		count++;
	}
	assert_int_equal(count, 100);
	put_text(&spi, scene, "AT\r");
	wire_pass(&spi, scene, 2);
	wizfi250_freeze(scene->module, scene->now);
	assert_false(wizfi250_spi_ready(&spi));
	assert_int_equal(exchange(&spi, scene, 'A'), 0xF0);
	wizfi250_pin(scene->module, true, scene->now);
	assert_int_equal(exchange(&spi, scene, 'A'), 0xFF);
	wire_pass(&spi, scene, 500);
	wizfi250_pin(scene->module, false, scene->now);
	wire_pass(&spi, scene, 1000);
	assert_true(wizfi250_spi_ready(&spi));
	assert_int_equal(exchange(&spi, scene, 0xF0), 0xF1);
}

/* Whatever is sent to it, it stands, and a reset by its pin brings it back. */
static void stands_garbage(void **state)
{
	struct scene *scene = *state;
	struct wizfi250_spi spi;

	wire_start(&spi, scene);
	srandom(1);
	for (unsigned i = 0; i < 200000; i++) {
		exchange(&spi, scene, (uint8_t)random());
		if (i % 64 == 0)
			wire_pass(&spi, scene, 1);
		if (i % 1000 == 0)
			put_text(&spi, scene, "\rAT+SSEND=0,,,9\rAT+WSET=0,home\rAT+WJOIN\r");
	}
	wizfi250_power(scene->module, false, scene->now);
	wizfi250_power(scene->module, true, scene->now);
	wire_pass(&spi, scene, 1000);
	assert_int_equal(wizfi250_waiting(scene->module), strlen(BANNER));
}

#endif
