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

enum subject { SUBJECT_VALUE, SUBJECT_STATUS, SUBJECT_STATE, SUBJECT_ERROR };

/* What was told of a sensor, and is to be told. */
struct told {
	uint16_t tick;  /* when the last reading was kept, in 64 ms */
	int16_t value;  /* of it */
	bool is_known;  /* the next sample is not told whatever it is */
	bool is_silent; /* it has nothing to say */
	bool complain;  /* of that */
};

/* What is to be said of an actuator. */
struct owed {
	bool state;     /* its state */
	bool state_out; /* which is under way */
	bool refused;   /* that a command was refused */
};

static struct {
	const struct settings *settings;
	uint32_t now_ms;    /* as handed in last */
	uint16_t second_ms; /* when the current second began */
	uint16_t offline_s; /* for how long there is no link */
	uint8_t no_flame_s; /* for how long there is no flame */
	bool status, online, is_alarm_ours;
	struct told told[SENSOR_COUNT];
	struct owed owed[ACTUATOR_COUNT + 1]; /* the last one: of an actuator that we do not have */
	/* The message that is being sent. */
	const struct outbox_batch *batch;
	enum subject subject;
	uint8_t which; /* sensor or actuator */
	bool is_sensor;
	int16_t level;
} self;

/* ---- readings ---- */

/* Without a link only what the period asks for is kept, or else a flickering lamp would push out the hours before; a fire always. */
static bool is_worth_telling(enum sensor sensor, int16_t value, uint16_t tick)
{
	const struct told *told = &self.told[sensor];
	int16_t change = (int16_t)(value - told->value);

	/* 15 ticks are a little less than a second, and 3,600 times that can be told from 0. */
	if (!told->is_known || (uint16_t)(tick - told->tick) >= self.settings->period_s * 15u)
		return true;
	if (sensor == SENSOR_FIRE)
		return change != 0;
	if (change < 0)
		change = (int16_t)-change;
	return self.online && change >= self.settings->change[sensor];
}

static void poll_sensor(enum sensor sensor)
{
	struct sensor_sample sample = sensor_take(sensor);
	uint16_t tick = (uint16_t)(self.now_ms >> 6);
	struct told *told = &self.told[sensor];

	if (sample.failed) {
		if (!told->is_silent)
			told->complain = true;
		told->is_known = false; /* the first value after it is news */
	}
	told->is_silent = sample.failed;
	/* One that finds no room is tried again with the next sample. */
	if (sample.failed || !sample.fresh || !is_worth_telling(sensor, sample.value, tick) ||
	    !outbox_add(sensor, sample.value, self.now_ms))
		return;
	told->value = sample.value;
	told->tick = tick;
	told->is_known = true;
}

/* ---- actuators ---- */

static void set(enum actuator actuator, int16_t level)
{
	actuator_set(actuator, level);
	self.owed[actuator].state = true;
}

static void poll_fire(void)
{
	int16_t before = self.told[SENSOR_FIRE].value;

	poll_sensor(SENSOR_FIRE);
	if (self.told[SENSOR_FIRE].value == 0)
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
	if (self.is_sensor)
		return sensor_name((enum sensor)self.which);
	if (self.which == ACTUATOR_COUNT)
		return FLASH_TEXT("device");
	return actuator_name((enum actuator)self.which);
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
	const char *code = FLASH_TEXT("set\",\"code\":\"refused_set");
	const char *wanted = FLASH_TEXT("led, motor, window, door or buzzer");

	if (self.is_sensor) {
		code = FLASH_TEXT("value\",\"code\":\"no_answer");
		wanted = FLASH_TEXT("a DHT on D7");
	} else if (self.which != ACTUATOR_COUNT) {
		wanted = actuator_wanted((enum actuator)self.which);
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
	self.is_sensor = subject == SUBJECT_VALUE;
	publish->topic.write = write_topic;
	publish->payload.write = write_payload;
	publish->packet_id = packet_id;
	publish->retain = subject == SUBJECT_STATUS || subject == SUBJECT_STATE;
}

static bool next_batch(struct mqtt_publish *publish, enum outbox_lane lane, uint16_t packet_id)
{
	self.batch = outbox_next(lane, self.now_ms);
	if (self.batch != NULL)
		publish_as(publish, SUBJECT_VALUE, self.batch->sensor, packet_id);
	return self.batch != NULL;
}

/* At QoS 0: whoever wants to know is there when he commands. */
static bool next_of_actuator(struct mqtt_publish *publish, uint8_t which)
{
	struct owed *owed = &self.owed[which];

	if (owed->refused) {
		owed->refused = false;
		publish_as(publish, SUBJECT_ERROR, which, 0);
		return true;
	}
	if (!owed->state || owed->state_out)
		return false;
	owed->state = false;
	owed->state_out = true;
	self.level = actuator_level((enum actuator)which);
	publish_as(publish, SUBJECT_STATE, which, STATE_ID + which);
	return true;
}

static bool next_complaint(struct mqtt_publish *publish, uint8_t which)
{
	if (!self.told[which].complain)
		return false;
	self.told[which].complain = false;
	publish_as(publish, SUBJECT_ERROR, which, 0);
	self.is_sensor = true;
	return true;
}

bool link_next(struct mqtt_publish *publish)
{
	if (next_batch(publish, OUTBOX_FIRE, FIRE_ID))
		return true;
	if (self.status) {
		self.status = false;
		publish_as(publish, SUBJECT_STATUS, ACTUATOR_COUNT, STATUS_ID);
		return true;
	}
	for (uint8_t i = 0; i <= ACTUATOR_COUNT; i++)
		if (next_of_actuator(publish, i))
			return true;
	for (uint8_t i = 0; i < SENSOR_FIRE; i++)
		if (next_complaint(publish, i))
			return true;
	return next_batch(publish, OUTBOX_OTHER, OTHER_ID);
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
		self.owed[packet_id - STATE_ID].state_out = false;
}

/* ---- the session ---- */

/* A fresh value of everything, for the kept ones only tell what was. */
void link_online(void)
{
	self.online = true;
	self.offline_s = 0;
	self.status = true;
	for (uint8_t i = 0; i < SENSOR_COUNT; i++)
		self.told[i].is_known = false;
}

void link_offline(void)
{
	self.online = false;
	self.second_ms = (uint16_t)self.now_ms; /* offline_s counts from here */
	for (uint8_t i = 0; i < ACTUATOR_COUNT; i++) {
		self.owed[i].state |= self.owed[i].state_out;
		self.owed[i].state_out = false;
	}
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

	/* A retained one is a command of whenever: a door must not open for it. */
	if (actuator == ACTUATOR_COUNT || in->retain || in->payload_length > MQTT_PAYLOAD_MAX ||
	    !actuator_parse(actuator, in->payload, (uint8_t)in->payload_length, &level)) {
		self.owed[actuator].refused = true;
		return;
	}
	if (actuator == ACTUATOR_BUZZER)
		self.is_alarm_ours = false;
	set(actuator, level);
}

void device_init(const struct settings *settings, uint32_t now_ms)
{
	memset(&self, 0, sizeof self);
	self.settings = settings;
	self.now_ms = now_ms;
	self.second_ms = (uint16_t)now_ms;
	for (uint8_t i = 0; i < ACTUATOR_COUNT; i++)
		self.owed[i].state = actuator_level((enum actuator)i) != ACTUATOR_UNKNOWN;
}
