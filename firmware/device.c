/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device: see device.h. What is to be said is a set of bits and the outbox; a message is written when the link asks for the next, most
 * urgent first: a fire, `status`, refused commands, states, all other readings. A bit that is set again while its message is under way
 * is sent again.
 */
#include "device.h"

#include "actuators.h"
#include "flash.h"
#include "outbox.h"

/* Packet ids of what is acknowledged; the link has 1. A state's is STATE_ID + its actuator. */
#define STATUS_ID 2
#define FIRE_ID   3
#define OTHER_ID  4
#define STATE_ID  16u

/* Sets of sensors and of actuators. */
#define BIT(n) ((uint8_t)(1u << (n)))

static void mark(uint8_t *set, unsigned which)
{
	*set = (uint8_t)(*set | BIT(which));
}

static void unmark(uint8_t *set, unsigned which)
{
	*set = (uint8_t)(*set & ~BIT(which));
}

/* Why a `set` was refused, or a sensor has nothing to say. */
enum complaint { REFUSED_SET, UNKNOWN_ACTUATOR, NO_ANSWER };

enum subject { SUBJECT_VALUE, SUBJECT_STATUS, SUBJECT_STATE, SUBJECT_ERROR };

static struct {
	const struct settings *settings;
	uint32_t now_ms;                /* as handed in last */
	uint16_t kept_tick[SENSOR_COUNT]; /* when the last reading was kept, in 64 ms */
	int16_t kept[SENSOR_COUNT];
	uint16_t second_ms; /* when the current second began */
	uint16_t offline_s; /* for how long there is no link */
	uint8_t no_flame_s; /* for how long there is no flame */
	uint8_t failed;     /* sensors that have nothing to say */
	uint8_t due;        /* sensors whose next sample is told whatever it is */
	/* Actuators whose state is to be told, whose is under way, and of which a command was refused; sensors whose failure is to be told. */
	uint8_t states, states_out, refused, silent;
	uint8_t unknown; /* 1: a command for an actuator that we do not have was refused */
	bool status, online, is_alarm_ours;
	/* The message that is being sent. */
	const struct outbox_batch *batch;
	enum subject subject;
	enum complaint complaint;
	uint8_t which; /* sensor or actuator */
	int16_t level;
} self;

/* ---- readings ---- */

static int16_t change_of(enum sensor sensor)
{
	switch (sensor) {
	case SENSOR_TEMPERATURE:
		return self.settings->change_temperature;
	case SENSOR_HUMIDITY:
		return self.settings->change_humidity;
	case SENSOR_ILLUMINANCE:
		return self.settings->change_illuminance;
	default:
		return 1;
	}
}

/* Without a link only what the period asks for is kept, or else a flickering lamp would push out the hours before; a fire always. */
static bool is_worth_telling(enum sensor sensor, int16_t value, uint16_t tick)
{
	int16_t change = (int16_t)(value - self.kept[sensor]);

	/* 15 ticks are a little less than a second, and 3,600 times that can be told from 0. */
	if (self.due & BIT(sensor) || (uint16_t)(tick - self.kept_tick[sensor]) >= self.settings->period_s * 15u)
		return true;
	if (change < 0)
		change = (int16_t)-change;
	return (self.online || sensor == SENSOR_FIRE) && change >= change_of(sensor);
}

static void poll_sensor(enum sensor sensor)
{
	struct sensor_sample sample = sensor_take(sensor);
	uint16_t tick = (uint16_t)(self.now_ms >> 6);

	if (sample.failed) {
		if (!(self.failed & BIT(sensor)))
			mark(&self.silent, sensor);
		mark(&self.failed, sensor);
		mark(&self.due, sensor); /* the first value after it is news */
		return;
	}
	unmark(&self.failed, sensor);
	/* One that finds no room is tried again with the next sample. */
	if (!sample.fresh || !is_worth_telling(sensor, sample.value, tick) || !outbox_add(sensor, sample.value, self.now_ms))
		return;
	self.kept[sensor] = sample.value;
	self.kept_tick[sensor] = tick;
	unmark(&self.due, sensor);
}

/* ---- actuators ---- */

static void set(enum actuator actuator, int16_t level)
{
	actuator_set(actuator, level);
	mark(&self.states, actuator);
}

static void poll_fire(void)
{
	int16_t before = self.kept[SENSOR_FIRE];

	poll_sensor(SENSOR_FIRE);
	if (self.kept[SENSOR_FIRE] == 0)
		return;
	self.no_flame_s = 0;
	if (before == 0) {
		set(ACTUATOR_BUZZER, BUZZER_ALARM);
		self.is_alarm_ours = true;
	}
}

static void go_safe(void)
{
	for (uint8_t i = 0; i < ACTUATOR_COUNT; i++) {
		int16_t level = self.settings->safe[i];
		if (level != SETTINGS_KEEP && !(i == ACTUATOR_BUZZER && self.is_alarm_ours))
			set((enum actuator)i, level);
	}
}

static void each_second(void)
{
	if (self.no_flame_s < DEVICE_ALARM_AFTER_S && ++self.no_flame_s == DEVICE_ALARM_AFTER_S && self.is_alarm_ours) {
		set(ACTUATOR_BUZZER, 0);
		self.is_alarm_ours = false;
	}
	if (!self.online && self.offline_s < UINT16_MAX && ++self.offline_s == self.settings->safe_after_s)
		go_safe();
}

void device_poll(uint32_t now_ms)
{
	self.now_ms = now_ms;
	poll_fire();
	for (uint8_t i = 0; i < SENSOR_FIRE; i++)
		poll_sensor((enum sensor)i);
	if ((uint16_t)((uint16_t)now_ms - self.second_ms) >= 1000) {
		self.second_ms = (uint16_t)(self.second_ms + 1000);
		each_second();
	}
	actuators_poll(now_ms);
}

/* ---- messages out ---- */

static const char *subject_text(void)
{
	switch (self.subject) {
	case SUBJECT_VALUE:
		return FLASH_TEXT("/value");
	case SUBJECT_STATUS:
		return FLASH_TEXT("/status");
	case SUBJECT_STATE:
		return FLASH_TEXT("/state");
	case SUBJECT_ERROR:
		break;
	}
	return FLASH_TEXT("/error");
}

static const char *level_text(void)
{
	bool is_sensor = self.subject == SUBJECT_VALUE || (self.subject == SUBJECT_ERROR && self.complaint == NO_ANSWER);

	if (self.subject == SUBJECT_STATUS || (self.subject == SUBJECT_ERROR && self.complaint == UNKNOWN_ACTUATOR))
		return FLASH_TEXT("device");
	return is_sensor ? sensor_name((enum sensor)self.which) : actuator_name((enum actuator)self.which);
}

static void write_topic(struct sink *sink, const void *context)
{
	(void)context;
	link_write_user(sink, self.settings);
	text_put(sink, '/');
	text_flash(sink, level_text());
	text_flash(sink, subject_text());
}

static void write_error(struct sink *sink)
{
	const char *code = FLASH_TEXT("set\",\"code\":\"refused_set"), *wanted;

	switch (self.complaint) {
	case REFUSED_SET:
		wanted = actuator_wanted((enum actuator)self.which);
		break;
	case UNKNOWN_ACTUATOR:
		wanted = FLASH_TEXT("led, motor, window, door or buzzer");
		break;
	default:
		code = FLASH_TEXT("value\",\"code\":\"no_answer");
		wanted = FLASH_TEXT("a DHT on D7");
	}
	text_flash(sink, FLASH_TEXT("{\"subject\":\""));
	text_flash(sink, code);
	text_flash(sink, FLASH_TEXT("\",\"wanted\":\""));
	text_flash(sink, wanted);
	text_flash(sink, FLASH_TEXT("\"}"));
}

static void write_payload(struct sink *sink, const void *context)
{
	(void)context;
	switch (self.subject) {
	case SUBJECT_VALUE:
		outbox_write(sink, self.batch);
		break;
	case SUBJECT_STATUS:
		text_flash(sink, FLASH_TEXT("online"));
		break;
	case SUBJECT_STATE:
		actuator_write(sink, (enum actuator)self.which, self.level);
		break;
	case SUBJECT_ERROR:
		write_error(sink);
		break;
	}
}

static void publish_as(struct mqtt_publish *publish, enum subject subject, uint8_t which, uint16_t packet_id)
{
	self.subject = subject;
	self.which = which;
	*publish = (struct mqtt_publish){
		.topic = {write_topic, NULL},
		.payload = {write_payload, NULL},
		.packet_id = packet_id,
		.retain = subject == SUBJECT_STATUS || subject == SUBJECT_STATE,
	};
}

static bool next_batch(struct mqtt_publish *publish, enum outbox_lane lane, uint16_t packet_id)
{
	self.batch = outbox_next(lane, self.now_ms);
	if (self.batch == NULL)
		return false;
	publish_as(publish, SUBJECT_VALUE, self.batch->sensor, packet_id);
	return true;
}

/* The lowest of a set of bits, taken out of it; false: there is none. */
static bool take_bit(uint8_t *bits, uint8_t *which)
{
	for (uint8_t i = 0; i < 8; i++) {
		if (*bits & BIT(i)) {
			unmark(bits, i);
			*which = i;
			return true;
		}
	}
	return false;
}

/* At QoS 0: whoever wants to know is there when he commands. */
static bool next_error(struct mqtt_publish *publish)
{
	uint8_t which = 0;

	if (take_bit(&self.refused, &which))
		self.complaint = REFUSED_SET;
	else if (take_bit(&self.silent, &which))
		self.complaint = NO_ANSWER;
	else if (take_bit(&self.unknown, &which))
		self.complaint = UNKNOWN_ACTUATOR;
	else
		return false;
	publish_as(publish, SUBJECT_ERROR, which, 0);
	return true;
}

static bool next_state(struct mqtt_publish *publish)
{
	uint8_t idle = self.states & (uint8_t)~self.states_out;
	uint8_t which;

	if (!take_bit(&idle, &which))
		return false;
	unmark(&self.states, which);
	mark(&self.states_out, which);
	self.level = actuator_level((enum actuator)which);
	publish_as(publish, SUBJECT_STATE, which, STATE_ID + which);
	return true;
}

bool link_next(struct mqtt_publish *publish)
{
	if (next_batch(publish, OUTBOX_FIRE, FIRE_ID))
		return true;
	if (self.status) {
		self.status = false;
		publish_as(publish, SUBJECT_STATUS, 0, STATUS_ID);
		return true;
	}
	return next_error(publish) || next_state(publish) || next_batch(publish, OUTBOX_OTHER, OTHER_ID);
}

void link_sent(void)
{
	outbox_written();
}

void link_acknowledged(uint16_t packet_id)
{
	if (packet_id == FIRE_ID)
		outbox_acknowledged(OUTBOX_FIRE, self.now_ms);
	else if (packet_id == OTHER_ID)
		outbox_acknowledged(OUTBOX_OTHER, self.now_ms);
	else if (packet_id >= STATE_ID && packet_id < STATE_ID + ACTUATOR_COUNT)
		unmark(&self.states_out, packet_id - STATE_ID);
}

/* ---- the session ---- */

/* A fresh value of everything, for the kept ones only tell what was. */
void link_online(void)
{
	self.online = true;
	self.offline_s = 0;
	self.status = true;
	self.due = BIT(SENSOR_COUNT) - 1;
}

void link_offline(void)
{
	self.online = false;
	self.second_ms = (uint16_t)self.now_ms; /* offline_s counts from here */
	self.states = (uint8_t)(self.states | self.states_out);
	self.states_out = 0;
	outbox_rewind();
}

/* The actuator that a topic LOCATION/DEVICE/ACTUATOR/set names; ACTUATOR_COUNT: none of ours. */
static enum actuator actuator_of(const struct mqtt_in *in)
{
	uint8_t before = (uint8_t)(strlen(self.settings->location) + strlen(self.settings->device) + 2);
	uint8_t around = (uint8_t)(before + strlen_P(FLASH_TEXT("/set")));

	if (in->topic_length > MQTT_TOPIC_MAX || in->topic_length <= around)
		return ACTUATOR_COUNT;
	return actuator_find(in->topic + before, (uint8_t)(in->topic_length - around));
}

void link_received(const struct mqtt_in *in)
{
	enum actuator actuator = actuator_of(in);
	int16_t level;

	if (actuator == ACTUATOR_COUNT) {
		self.unknown = 1;
	} else if (in->retain || in->payload_length > MQTT_PAYLOAD_MAX ||
	           !actuator_parse(actuator, in->payload, (uint8_t)in->payload_length, &level)) {
		/* A retained one is a command of whenever: a door must not open for it. */
		mark(&self.refused, actuator);
	} else {
		if (actuator == ACTUATOR_BUZZER)
			self.is_alarm_ours = false;
		set(actuator, level);
	}
}

void device_init(const struct settings *settings, uint32_t now_ms)
{
	memset(&self, 0, sizeof self);
	self.settings = settings;
	self.now_ms = now_ms;
	self.second_ms = (uint16_t)now_ms;
	self.due = BIT(SENSOR_COUNT) - 1;
	for (uint8_t i = 0; i < ACTUATOR_COUNT; i++) {
		if (actuator_level((enum actuator)i) != ACTUATOR_UNKNOWN)
			mark(&self.states, i);
	}
}
