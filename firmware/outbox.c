/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outbox: see outbox.h. The ring's i-th entry has the number first + i. What is acknowledged out of order stays as a gap until it
 * is the oldest.
 */
#include "outbox.h"

#include "flash.h"

#define GAP       15  /* in place of a sensor: acknowledged */
#define AGE_LEAST 100 /* ms; what is younger is as good as now */

/* Six bytes, for the ring is a third of the static RAM: twelve bits of a value are enough for every sensor (sensors.h). */
struct entry {
	uint32_t at_ms;
	int16_t value_and_sensor;
} __attribute__((packed));
_Static_assert(sizeof(struct entry) == 6, "the ring's size is counted on");
_Static_assert((int)SENSOR_COUNT < GAP, "a sensor has four bits");

static struct {
	struct entry entries[OUTBOX_MAX];
	uint32_t boot;
	uint16_t first; /* the number of the oldest */
	struct outbox_batch under_way[OUTBOX_LANES];
	uint16_t lost;
	uint8_t start, count;
	bool writing;
} box;

static struct entry *entry_at(uint8_t index)
{
	return &box.entries[(box.start + index) % OUTBOX_MAX];
}

static uint8_t sensor_of(const struct entry *entry)
{
	return entry->value_and_sensor & 15;
}

static int16_t value_of(const struct entry *entry)
{
	return (int16_t)(entry->value_and_sensor >> 4);
}

static enum outbox_lane lane_of(uint8_t sensor)
{
	return sensor == SENSOR_FIRE ? OUTBOX_FIRE : OUTBOX_OTHER;
}

void outbox_init(uint32_t boot)
{
	memset(&box, 0, sizeof box);
	box.boot = boot;
}

static void drop_oldest(void)
{
	box.start = (uint8_t)((box.start + 1) % OUTBOX_MAX);
	box.first++;
	box.count--;
}

static void drop_gaps(void)
{
	while (box.count > 0 && sensor_of(entry_at(0)) == GAP)
		drop_oldest();
}

bool outbox_add(enum sensor sensor, int16_t value, uint32_t now_ms)
{
	if (box.count == OUTBOX_MAX) {
		if (box.writing)
			return false;
		box.lost++;
		drop_oldest();
		drop_gaps();
	}
	*entry_at(box.count++) = (struct entry){now_ms, (int16_t)(value * 16 + (int16_t)sensor)};
	return true;
}

/* The batch that begins with this entry. */
static struct outbox_batch batch_from(uint8_t index, uint32_t now_ms)
{
	struct outbox_batch batch = {
		.now_ms = now_ms, .first = (uint16_t)(box.first + index), .sensor = sensor_of(entry_at(index))};

	for (uint8_t i = index; i < box.count && batch.count < OUTBOX_BATCH; i++) {
		if (sensor_of(entry_at(i)) != batch.sensor)
			continue;
		batch.count++;
		batch.span = (uint8_t)(i - index + 1);
	}
	return batch;
}

const struct outbox_batch *outbox_next(enum outbox_lane lane, uint32_t now_ms)
{
	struct outbox_batch *batch = &box.under_way[lane];

	if (batch->span > 0)
		return NULL;
	for (uint8_t i = 0; i < box.count; i++) {
		uint8_t sensor = sensor_of(entry_at(i));
		if (sensor == GAP || lane_of(sensor) != lane)
			continue;
		*batch = batch_from(i, now_ms);
		box.writing = true;
		return batch;
	}
	return NULL;
}

/* The entry of a batch with this number; NULL: it gave way, or is another sensor's. */
static struct entry *entry_of(const struct outbox_batch *batch, uint16_t seq)
{
	uint16_t index = (uint16_t)(seq - box.first);
	if (index >= box.count)
		return NULL;
	struct entry *entry = entry_at((uint8_t)index);
	return sensor_of(entry) == batch->sensor ? entry : NULL;
}

static void write_reading(struct sink *sink, const struct outbox_batch *batch, uint16_t seq, const struct entry *entry)
{
	uint32_t age = batch->now_ms - entry->at_ms;

	text_flash(sink, FLASH_TEXT("\"seq\":"));
	text_unsigned(sink, seq);
	if (age >= AGE_LEAST) {
		text_flash(sink, FLASH_TEXT(",\"age\":"));
		text_unsigned(sink, age);
	}
	text_flash(sink, FLASH_TEXT(",\"value\":"));
	sensor_write(sink, (enum sensor)batch->sensor, value_of(entry));
}

/* One reading is {"boot":7,"seq":41,"value":23.5}, more are {"boot":7,"readings":[{"seq":41,…},…]}. */
void outbox_write(struct sink *sink, const struct outbox_batch *batch)
{
	bool several = batch->count > 1;

	text_flash(sink, FLASH_TEXT("{\"boot\":"));
	text_unsigned(sink, box.boot);
	text_put(sink, ',');
	if (several)
		text_flash(sink, FLASH_TEXT("\"readings\":[{"));
	for (uint8_t i = 0; i < batch->span; i++) {
		const struct entry *entry = entry_of(batch, (uint16_t)(batch->first + i));
		if (entry == NULL)
			continue;
		if (i > 0)
			text_flash(sink, FLASH_TEXT("},{"));
		write_reading(sink, batch, (uint16_t)(batch->first + i), entry);
	}
	if (several)
		text_flash(sink, FLASH_TEXT("}]"));
	text_put(sink, '}');
}

void outbox_written(void)
{
	box.writing = false;
}

void outbox_acknowledged(enum outbox_lane lane, uint32_t now_ms)
{
	struct outbox_batch *batch = &box.under_way[lane];

	if (batch->span == 0)
		return;
	for (uint8_t i = 0; i < box.count; i++) {
		struct entry *entry = entry_at(i);
		if (sensor_of(entry) != batch->sensor)
			continue;
		if ((uint16_t)(box.first + i - batch->first) < batch->span)
			entry->value_and_sensor = GAP;
		else if ((int32_t)(entry->at_ms - batch->now_ms) >= 0)
			entry->at_ms = now_ms; /* see the top of outbox.h */
	}
	batch->span = 0;
	drop_gaps();
}

void outbox_rewind(void)
{
	box.writing = false;
	for (uint8_t lane = 0; lane < OUTBOX_LANES; lane++)
		box.under_way[lane].span = 0;
}

uint8_t outbox_kept(void)
{
	return box.count;
}

uint16_t outbox_lost(void)
{
	return box.lost;
}
