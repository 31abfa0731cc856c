/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device_fixture: what surrounds the device in its tests. Real are the outbox, the actuators and MQTT; the sensors and the outputs'
 * pins are faked, and the test is the link. Each message is rendered twice and must be the same.
 */
#ifndef TEST_FIRMWARE_DEVICE_FIXTURE_H
#define TEST_FIRMWARE_DEVICE_FIXTURE_H

#include "device.h"

#include "actuators.h"
#include "outbox.h"
#include "outputs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct settings chosen;
static uint32_t now;
static void (*between)(void); /* what happens between two renderings */

/* ---- sensors and pins ---- */

static struct sensor_sample samples[SENSOR_COUNT];

struct sensor_sample sensor_take(enum sensor sensor)
{
	struct sensor_sample sample = samples[sensor];

	samples[sensor].fresh = false;
	return sample;
}

const char *sensor_name(enum sensor sensor)
{
	static const char *const names[] = {"temperature", "humidity", "illuminance", "fire"};

	return names[sensor];
}

void sensor_write(struct sink *sink, enum sensor sensor, int16_t value)
{
	if (sensor <= SENSOR_HUMIDITY)
		text_tenths(sink, value);
	else
		text_signed(sink, value);
}

static struct {
	int led, motor, servo_us[2], tone_hz;
	unsigned led_sets, moves;
} pins;

void outputs_led(uint8_t duty)
{
	pins.led = duty;
	pins.led_sets++;
}

void outputs_motor(uint8_t duty, bool reverse)
{
	pins.motor = reverse ? -duty : duty;
}

void outputs_servo(enum output_servo servo, uint16_t pulse_us)
{
	pins.servo_us[servo] = pulse_us;
	pins.moves += pulse_us > 0;
}

void outputs_tone(uint16_t hz)
{
	pins.tone_hz = hz;
}

void link_write_user(struct sink *sink, const struct settings *settings)
{
	text_string(sink, settings->location);
	text_put(sink, '/');
	text_string(sink, settings->device);
}

/* ---- time, and what is measured ---- */

static void pass(uint32_t milliseconds)
{
	now += milliseconds;
	samples[SENSOR_FIRE].fresh = true;
	device_poll(now);
}

static inline void run(uint32_t milliseconds)
{
	for (uint32_t i = 0; i < milliseconds; i += 50)
		pass(50);
}

static inline void measure(enum sensor sensor, int16_t value)
{
	samples[sensor] = (struct sensor_sample){.value = value, .fresh = true};
	pass(0);
}

/* The value of before is measured once more. */
static void measure_again(void)
{
	for (int i = 0; i < SENSOR_COUNT; i++)
		samples[i].fresh = true;
	pass(0);
}

static inline void fail_dht(void)
{
	samples[SENSOR_TEMPERATURE].failed = samples[SENSOR_HUMIDITY].failed = true;
	pass(0);
}

/* The actuators start but once: all that can be put off is; a servo that was moved stays known. */
static void start_at(uint32_t moment)
{
	actuator_set(ACTUATOR_LED, 0);
	actuator_set(ACTUATOR_MOTOR, 0);
	actuator_set(ACTUATOR_BUZZER, 0);
	memset(samples, 0, sizeof samples);
	memset(&pins, 0, sizeof pins);
	settings_default(&chosen);
	strcpy(chosen.location, "hall");
	strcpy(chosen.device, "uno1");
	chosen.period_s = 3600;
	now = moment;
	between = NULL;
	actuators_init(&chosen);
	outbox_init(7);
	device_init(&chosen, now);
}

static inline int start(void **state)
{
	(void)state;
	start_at(0);
	return 0;
}

static const uint32_t moments[] = {0, 65000, (1u << 22) - 30000, 0x7FFFF000, UINT32_MAX - 30000};

/* ---- the link ---- */

struct page {
	struct sink sink;
	size_t length;
	char text[4096];
};

static void page_put(struct sink *sink, uint8_t byte)
{
	struct page *page = (struct page *)sink;

	assert_true(page->length + 1 < sizeof page->text);
	page->text[page->length++] = (char)byte;
	page->text[page->length] = '\0';
}

static void write_text(struct sink *sink, const void *context)
{
	text_string(sink, context);
}

/* A PUBLISH comes to the device. */
static void receive_message(const char *topic, const char *payload, bool retained)
{
	static struct page packet;
	static struct mqtt_in in;
	const struct mqtt_publish publish = {{write_text, topic}, {write_text, payload}, 1, retained, false};
	enum mqtt_event event = MQTT_NOTHING;

	packet = (struct page){.sink = {page_put}};
	mqtt_write_publish(&packet.sink, &publish);
	mqtt_in_reset(&in);
	for (size_t i = 0; i < packet.length; i++)
		event = mqtt_feed(&in, (uint8_t)packet.text[i]);
	assert_int_equal(event, MQTT_PUBLISH);
	link_received(&in);
}

static inline void command(const char *actuator, const char *payload)
{
	char topic[128];

	snprintf(topic, sizeof topic, "hall/uno1/%s/set", actuator);
	receive_message(topic, payload, false);
}

#define OWN "hall/uno1/"

/* What link_next offers, as "led/state 255 (retained)\n"; then that is on its way. */
static bool tell(struct page *page, uint16_t *packet_id)
{
	struct mqtt_publish publish;
	struct page line = {.sink = {page_put}}, again = line;

	if (!link_next(&publish))
		return false;
	for (int i = 0; i < 2; i++) {
		struct page *to = i == 0 ? &line : &again;
		publish.topic.write(&to->sink, publish.topic.context);
		page_put(&to->sink, ' ');
		publish.payload.write(&to->sink, publish.payload.context);
		if (i == 0 && between != NULL)
			between();
	}
	assert_string_equal(line.text, again.text);
	assert_memory_equal(line.text, OWN, strlen(OWN));
	text_string(&page->sink, line.text + strlen(OWN));
	text_string(&page->sink, publish.retain ? " (retained)" : "");
	text_string(&page->sink, publish.packet_id == 0 ? " (QoS 0)\n" : "\n");
	*packet_id = publish.packet_id;
	link_sent();
	return true;
}

/* All that there is to tell, each acknowledged at once. */
static inline const char *told(void)
{
	static struct page page;
	uint16_t packet_id;

	page = (struct page){.sink = {page_put}};
	while (tell(&page, &packet_id))
		if (packet_id != 0)
			link_acknowledged(packet_id);
	return page.text;
}

/* Online, with all told that there is to tell at first. */
static inline void begin(void)
{
	measure_again();
	link_online();
	measure_again();
	told();
}

#define VALUE(sensor, seq, value) sensor "/value {\"boot\":7,\"seq\":" #seq ",\"value\":" value "}\n"

#endif
