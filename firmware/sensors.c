/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sensors: see sensors.h. All times are counted down or up by the milliseconds between two passes, in a byte: passes of
 * 256 ms and more, which do not occur, would only stretch them.
 *
 * temperature,   Asked together, every 2 s. The line is pulled, released, and some passes later the answer is there;
 * humidity       nothing is waited for. One bad telegram is nothing unusual; three in a row are a failure, and the next
 *                good one ends it.
 * illuminance    The mean of a conversion a millisecond over the first 50 of every 100 ms: five half waves of 50 Hz and six of
 *                60 Hz, so that lamps that flicker with the mains are seen as steady. As many fit into 16 bits.
 * fire           What the pin has said for 20 ms, however many passes that were. Once those are over it is fresh with every
 *                millisecond.
 */
#include "sensors.h"

#include "flash.h"
#include "inputs.h"
#include "words.h"

/* One more than is asked for where that is a least: the first millisecond may have been nearly over. */
#define DHT_FIRST_MS  1000
#define DHT_PULL_MS   (20 + 1)
#define DHT_ANSWER_MS (10 + 1)
#define DHT_PAUSE_MS  (2000 - DHT_PULL_MS - DHT_ANSWER_MS)
#define DHT_FAILURES  3

#define LIGHT_MS    100
#define LIGHT_COUNT 50
#define FIRE_MS     20

/* In tenths; cold is below zero. */
#define COLD_MOST     400
#define WARM_MOST     1250
#define HUMIDITY_MOST 1000

_Static_assert(WORD_OFF - WORD_SENSORS == (int)SENSOR_COUNT, "a word for each sensor");
_Static_assert(LIGHT_COUNT * 1023L <= UINT16_MAX, "the sum of conversions must fit");

static struct {
	struct sensor_sample samples[SENSOR_COUNT];
	uint8_t pass; /* the last one's millisecond */
	uint8_t dht_kind, dht_step, dht_failures;
	int16_t dht_ms; /* to the end of the step */
	uint16_t light_sum;
	uint8_t light_count, light_ms;
	uint8_t flame_ms; /* since when the pin says what it says */
	bool flame;
} self;

const char *sensor_name(enum sensor sensor)
{
	return word_text((uint8_t)(WORD_SENSORS + sensor));
}

__attribute__((noinline)) void sensor_write(struct sink *sink, enum sensor sensor, int16_t value)
{
	if (sensor <= SENSOR_HUMIDITY)
		text_tenths(sink, value);
	else
		text_signed(sink, value);
}

/*
 * A telegram (Aosong's data sheets of the AM2302 and the DHT11), high byte first:
 *
 *          0, 1                      2, 3                                                  4
 *   DHT22  humidity, tenths          temperature: bit 15 below zero, the rest tenths       sum of the others
 *   DHT11  humidity: whole, tenths   temperature: whole, tenths with bit 7 below zero      likewise
 */
bool sensor_dht_decode(const uint8_t bytes[5], enum dht_kind kind, int16_t *temperature, int16_t *humidity)
{
	if ((uint8_t)(bytes[0] + bytes[1] + bytes[2] + bytes[3]) != bytes[4])
		return false;

	uint16_t moist, warm; /* tenths, the latter without its sign */
	bool below_zero;
	if (kind == DHT11) {
		uint8_t tenths = bytes[3] & 0x7F;
		if (bytes[1] > 9 || tenths > 9)
			return false;
		moist = (uint16_t)(bytes[0] * 10 + bytes[1]);
		warm = (uint16_t)(bytes[2] * 10 + tenths);
		below_zero = bytes[3] & 0x80;
	} else {
		moist = (uint16_t)(bytes[0] << 8 | bytes[1]);
		warm = (uint16_t)((bytes[2] & 0x7F) << 8 | bytes[3]);
		below_zero = bytes[2] & 0x80;
	}
	if (moist > HUMIDITY_MOST || warm > (below_zero ? COLD_MOST : WARM_MOST))
		return false;
	*temperature = (int16_t)(below_zero ? -(int16_t)warm : (int16_t)warm);
	*humidity = (int16_t)moist;
	return true;
}

void sensors_init(enum dht_kind kind, uint32_t now_ms)
{
	memset(&self, 0, sizeof self);
	self.pass = (uint8_t)now_ms;
	self.dht_kind = (uint8_t)kind;
	self.dht_ms = DHT_FIRST_MS;
}

__attribute__((noinline)) static void take(enum sensor sensor, int16_t value)
{
	struct sensor_sample *sample = &self.samples[sensor];

	sample->value = value;
	sample->fresh = true;
	sample->failed = false;
}

static void dht_evaluate(void)
{
	const uint8_t *bytes = inputs_dht_answer();
	int16_t temperature, humidity;

	if (bytes != NULL && sensor_dht_decode(bytes, self.dht_kind, &temperature, &humidity)) {
		self.dht_failures = 0;
		take(SENSOR_TEMPERATURE, temperature);
		take(SENSOR_HUMIDITY, humidity);
	} else if (++self.dht_failures == DHT_FAILURES) { /* only a good one ends it: a count that wraps does no harm */
		self.samples[SENSOR_TEMPERATURE].failed = true;
		self.samples[SENSOR_HUMIDITY].failed = true;
	}
}

static void dht_poll(uint8_t past)
{
	int16_t left = (int16_t)(self.dht_ms - past);

	if (left <= 0) {
		left = DHT_PAUSE_MS;
		switch (self.dht_step++) {
		case 0:
			inputs_dht_pull();
			left = DHT_PULL_MS;
			break;
		case 1:
			inputs_dht_release();
			left = DHT_ANSWER_MS;
			break;
		default:
			dht_evaluate();
			self.dht_step = 0;
		}
	}
	self.dht_ms = left;
}

static void light_poll(uint8_t past)
{
	if (self.light_count < LIGHT_COUNT) {
		self.light_count++;
		self.light_sum = (uint16_t)(self.light_sum + inputs_light());
	}
	self.light_ms = (uint8_t)(self.light_ms + past);
	if (self.light_ms < LIGHT_MS)
		return;
	take(SENSOR_ILLUMINANCE, (int16_t)(self.light_sum / self.light_count));
	self.light_sum = 0;
	self.light_count = 0;
	self.light_ms = 0;
}

static void fire_poll(uint8_t past)
{
	bool flame = inputs_flame();

	if (flame != self.flame) {
		self.flame = flame;
		self.flame_ms = 0;
	} else if (self.flame_ms < FIRE_MS) {
		self.flame_ms = (uint8_t)(self.flame_ms + past);
	}
	if (self.flame_ms >= FIRE_MS)
		take(SENSOR_FIRE, flame);
}

void sensors_poll(uint32_t now_ms)
{
	uint8_t past = (uint8_t)((uint8_t)now_ms - self.pass);

	if (past == 0)
		return;
	self.pass = (uint8_t)now_ms;
	fire_poll(past);
	light_poll(past);
	dht_poll(past);
}

struct sensor_sample sensor_take(enum sensor sensor)
{
	struct sensor_sample sample = self.samples[sensor];

	self.samples[sensor].fresh = false;
	return sample;
}
