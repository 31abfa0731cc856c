/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outbox_test: what is kept, what goes out when, what it looks like and how old it is said to be; and 2 × 100,000 random operations
 * against a model that keeps every reading there ever was, by its number.
 */
#include "outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define BOOT         4294967295u
#define PAYLOAD_MOST 400
#define CAPACITY     60  /* what is promised at least */
#define NOW_MS       100 /* what was measured within this time is as good as now */

void sensor_write(struct sink *sink, enum sensor sensor, int16_t value)
{
	if (sensor == SENSOR_TEMPERATURE || sensor == SENSOR_HUMIDITY)
		text_tenths(sink, value);
	else
		text_signed(sink, value);
}

/* ---- the payload of a batch ---- */

struct page {
	struct sink sink;
	size_t length;
	char text[PAYLOAD_MOST + 1];
};

static void page_put(struct sink *sink, uint8_t byte)
{
	struct page *page = (struct page *)sink;

	assert_true(page->length < PAYLOAD_MOST);
	page->text[page->length++] = (char)byte;
	page->text[page->length] = '\0';
}

static struct page write_batch(const struct outbox_batch *batch)
{
	struct page page = {.sink = {page_put}};

	assert_non_null(batch);
	outbox_write(&page.sink, batch);
	return page;
}

/* The next batch of a lane goes out and looks like this. */
static void assert_sends(enum outbox_lane lane, uint32_t now_ms, const char *payload)
{
	struct page page = write_batch(outbox_next(lane, now_ms));

	outbox_written();
	assert_string_equal(page.text, payload);
}

static void send_all(enum outbox_lane lane, uint32_t now_ms)
{
	while (outbox_next(lane, now_ms) != NULL) {
		outbox_written();
		outbox_acknowledged(lane, now_ms);
	}
}

static int start(void **state)
{
	(void)state;
	outbox_init(7);
	return 0;
}

/* ---- by hand ---- */

static void one_reading_goes_out_by_itself(void **state)
{
	(void)state;
	assert_null(outbox_next(OUTBOX_OTHER, 1000));
	outbox_add(SENSOR_TEMPERATURE, 235, 1000);
	assert_sends(OUTBOX_OTHER, 1000, "{\"boot\":7,\"seq\":0,\"value\":23.5}");
	assert_null(outbox_next(OUTBOX_OTHER, 1000)); /* it is under way */
	assert_int_equal(outbox_kept(), 1);
	outbox_acknowledged(OUTBOX_OTHER, 1050);
	assert_int_equal(outbox_kept() + outbox_lost(), 0);
}

static void several_of_a_sensor_go_out_together(void **state)
{
	(void)state;
	outbox_add(SENSOR_HUMIDITY, 405, 1000);
	outbox_add(SENSOR_ILLUMINANCE, 1023, 1001);
	outbox_add(SENSOR_HUMIDITY, 1000, 2000);
	assert_sends(OUTBOX_OTHER, 2099,
	             "{\"boot\":7,\"readings\":[{\"seq\":0,\"age\":1099,\"value\":40.5},{\"seq\":2,\"value\":100}]}");
	outbox_add(SENSOR_HUMIDITY, 0, 3000); /* too late for the batch */
	outbox_acknowledged(OUTBOX_OTHER, 3010);
	assert_sends(OUTBOX_OTHER, 3101, "{\"boot\":7,\"seq\":1,\"age\":2100,\"value\":1023}");
	outbox_acknowledged(OUTBOX_OTHER, 3200);
	/* Under way while the one before was: no older than its acknowledgement, at 3010. */
	assert_sends(OUTBOX_OTHER, 3210, "{\"boot\":7,\"seq\":3,\"age\":200,\"value\":0}");
}

static void a_fire_waits_for_nothing(void **state)
{
	(void)state;
	outbox_add(SENSOR_TEMPERATURE, -5, 0);
	assert_non_null(outbox_next(OUTBOX_OTHER, 0));
	outbox_written();
	outbox_add(SENSOR_FIRE, 1, 40);
	assert_sends(OUTBOX_FIRE, 40, "{\"boot\":7,\"seq\":1,\"value\":1}");
	outbox_acknowledged(OUTBOX_FIRE, 60);
	outbox_rewind();
	assert_sends(OUTBOX_OTHER, 70, "{\"boot\":7,\"seq\":0,\"value\":-0.5}");
}

static void what_was_under_way_goes_out_again_and_is_older_then(void **state)
{
	(void)state;
	outbox_add(SENSOR_FIRE, 1, 1000);
	outbox_add(SENSOR_TEMPERATURE, 1250, 1000);
	assert_sends(OUTBOX_FIRE, 1000, "{\"boot\":7,\"seq\":0,\"value\":1}");
	assert_non_null(outbox_next(OUTBOX_OTHER, 1000));
	outbox_rewind();
	outbox_acknowledged(OUTBOX_FIRE, 1001); /* of nothing */
	outbox_acknowledged(OUTBOX_OTHER, 1001);
	assert_int_equal(outbox_kept(), 2);
	assert_sends(OUTBOX_FIRE, 31000, "{\"boot\":7,\"seq\":0,\"age\":30000,\"value\":1}");
	assert_sends(OUTBOX_OTHER, 31000, "{\"boot\":7,\"seq\":1,\"age\":30000,\"value\":125}");
}

static void ages_begin_at_a_tenth_of_a_second(void **state)
{
	(void)state;
	outbox_add(SENSOR_FIRE, 0, UINT32_MAX - 49);
	assert_sends(OUTBOX_FIRE, NOW_MS - 51, "{\"boot\":7,\"seq\":0,\"value\":0}"); /* 99 ms */
	outbox_rewind();
	assert_sends(OUTBOX_FIRE, NOW_MS - 50, "{\"boot\":7,\"seq\":0,\"age\":100,\"value\":0}");
}

/* The three cases of the header's last paragraph: before the sending, while under way, after the acknowledgement. */
static void a_reading_taken_while_another_is_under_way_is_no_older_than_its_acknowledgement(void **state)
{
	static const uint32_t starts[] = {0, 65000, 0x7FFFF000, UINT32_MAX - 5000};

	for (size_t i = 0; i < COUNT(starts); i++) {
		uint32_t at = starts[i];
		start(state);
		outbox_add(SENSOR_HUMIDITY, 1, at);
		assert_sends(OUTBOX_OTHER, at + 100, "{\"boot\":7,\"seq\":0,\"age\":100,\"value\":0.1}");
		outbox_add(SENSOR_HUMIDITY, 2, at + 300);
		outbox_add(SENSOR_TEMPERATURE, 3, at + 300); /* another sensor: as it is */
		outbox_acknowledged(OUTBOX_OTHER, at + 8000);
		outbox_add(SENSOR_HUMIDITY, 4, at + 9000);
		assert_sends(
			OUTBOX_OTHER, at + 9500,
			"{\"boot\":7,\"readings\":[{\"seq\":1,\"age\":1500,\"value\":0.2},{\"seq\":3,\"age\":500,\"value\":0.4}]}");
		outbox_acknowledged(OUTBOX_OTHER, at + 9600);
		assert_sends(OUTBOX_OTHER, at + 9600, "{\"boot\":7,\"seq\":2,\"age\":9300,\"value\":0.3}");
	}
}

static void the_newest_are_kept(void **state)
{
	(void)state;
	for (int16_t i = 0; i < 1000; i++) {
		outbox_add(SENSOR_ILLUMINANCE, i, (uint32_t)i * 1000);
		assert_true(outbox_kept() >= (i < CAPACITY ? i + 1 : CAPACITY));
		assert_int_equal(outbox_kept() + outbox_lost(), i + 1);
	}
	uint16_t first = outbox_lost();
	struct page page = write_batch(outbox_next(OUTBOX_OTHER, 1000000));
	char wanted[80];
	snprintf(wanted, sizeof wanted, "{\"boot\":7,\"readings\":[{\"seq\":%u,\"age\":%u,\"value\":%u},", first,
	         1000000u - first * 1000u, first);
	assert_memory_equal(page.text, wanted, strlen(wanted));
}

static void nothing_gives_way_while_it_is_being_written(void **state)
{
	(void)state;
	for (int16_t i = 0; i < OUTBOX_MAX; i++)
		outbox_add(SENSOR_ILLUMINANCE, i, 0);
	const struct outbox_batch *batch = outbox_next(OUTBOX_OTHER, 0);
	struct page first = write_batch(batch);
	assert_false(outbox_add(SENSOR_ILLUMINANCE, 500, 10)); /* may be tried again */
	struct page again = write_batch(batch);
	assert_string_equal(again.text, first.text);
	assert_int_equal(outbox_lost(), 0);
	outbox_written();
	assert_true(outbox_add(SENSOR_ILLUMINANCE, 600, 20)); /* the oldest, which is under way, gives way */
	assert_int_equal(outbox_lost(), 1);
	assert_int_equal(outbox_kept(), OUTBOX_MAX);
	outbox_acknowledged(OUTBOX_OTHER, 20);
	assert_int_equal(outbox_kept(), OUTBOX_MAX - (OUTBOX_BATCH - 1));
}

static void skip_numbers(uint16_t count)
{
	while (count-- > 0) {
		outbox_add(SENSOR_FIRE, 0, 0);
		send_all(OUTBOX_FIRE, 0);
	}
}

static void the_longest_batch_has_its_size(void **state)
{
	(void)state;
	outbox_init(BOOT);
	skip_numbers(UINT16_MAX - 2 * OUTBOX_BATCH);
	for (int i = 0; i < OUTBOX_BATCH; i++)
		outbox_add(SENSOR_TEMPERATURE, -399, 0);
	struct page page = write_batch(outbox_next(OUTBOX_OTHER, UINT32_MAX));
	assert_non_null(strstr(page.text, "{\"seq\":65519,\"age\":4294967295,\"value\":-39.9}"));
	assert_true(page.length > PAYLOAD_MOST - 20); /* page_put sees to it that it is no longer */
}

static void numbers_wrap_in_the_middle_of_a_batch(void **state)
{
	(void)state;
	skip_numbers(65534);
	for (int16_t i = 0; i < 4; i++)
		outbox_add(SENSOR_FIRE, (int16_t)(i & 1), 70000);
	assert_sends(
		OUTBOX_FIRE, 70000,
		"{\"boot\":7,\"readings\":[{\"seq\":65534,\"value\":0},{\"seq\":65535,\"value\":1},{\"seq\":0,\"value\":0},"
		"{\"seq\":1,\"value\":1}]}");
	outbox_acknowledged(OUTBOX_FIRE, 70000);
	assert_int_equal(outbox_kept(), 0);
}

/* ---- the model ---- */

#define STEPS 100000

struct reading {
	uint32_t at_ms;
	uint32_t step; /* when it was added */
	int16_t value;
	uint8_t sensor;
	bool kept;
};

struct way {
	bool taken; /* a batch is under way */
	uint8_t sensor, count;
	uint32_t numbers[OUTBOX_BATCH];
	uint32_t sent_ms, step;
};

static struct {
	struct reading readings[STEPS + 1]; /* by their numbers, which do not wrap here */
	uint32_t oldest, next;              /* those kept have numbers from oldest to below next */
	uint32_t step, now_ms;
	uint16_t lost;
	struct way ways[OUTBOX_LANES];
	const struct outbox_batch *writing;
	enum outbox_lane lane;
	struct page page; /* what is being written */
	unsigned batches, several, capped;
} model;

static uint32_t chance;

static uint32_t below(uint32_t limit)
{
	chance = chance * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)chance * limit >> 32);
}

static void forget(uint32_t number)
{
	model.readings[number].kept = false;
	while (model.oldest < model.next && !model.readings[model.oldest].kept)
		model.oldest++;
}

static void add(void)
{
	enum sensor sensor = below(8) == 0 ? SENSOR_FIRE : (enum sensor)below(SENSOR_FIRE);
	int value = sensor == SENSOR_FIRE ? (int)below(2) : (int)below(1651) - 400;

	if (!outbox_add(sensor, (int16_t)value, model.now_ms)) {
		assert_true(model.next - model.oldest >= OUTBOX_MAX && model.writing != NULL);
		return;
	}
	if (outbox_lost() != model.lost) {
		model.lost++;
		assert_true(model.next - model.oldest >= OUTBOX_MAX); /* only if there is no room */
		forget(model.oldest);
	}
	model.readings[model.next++] = (struct reading){model.now_ms, model.step, (int16_t)value, (uint8_t)sensor, true};
}

static enum outbox_lane lane_of(uint8_t sensor)
{
	return sensor == SENSOR_FIRE ? OUTBOX_FIRE : OUTBOX_OTHER;
}

/* What must go out next in a lane: the oldest reading, and with it the next ones of its sensor. */
static struct way wanted_of(enum outbox_lane lane)
{
	struct way way = {.sent_ms = model.now_ms, .step = model.step};

	for (uint32_t number = model.oldest; number < model.next && way.count < OUTBOX_BATCH; number++) {
		const struct reading *reading = &model.readings[number];
		if (!reading->kept || lane_of(reading->sensor) != lane || (way.taken && reading->sensor != way.sensor))
			continue;
		way.taken = true;
		way.sensor = reading->sensor;
		way.numbers[way.count++] = number;
	}
	return way;
}

static void assert_age(const cJSON *age, const struct reading *reading)
{
	uint32_t wanted = model.now_ms - reading->at_ms;

	if (wanted < NOW_MS)
		assert_null(age);
	else
		assert_true(cJSON_IsNumber(age) && age->valuedouble == wanted);
}

static void assert_reading(const cJSON *json, uint32_t number)
{
	const struct reading *reading = &model.readings[number];
	const cJSON *seq = cJSON_GetObjectItemCaseSensitive(json, "seq");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value");
	double unit = reading->sensor == SENSOR_TEMPERATURE || reading->sensor == SENSOR_HUMIDITY ? 10 : 1;

	assert_true(cJSON_IsNumber(seq) && seq->valuedouble == (uint16_t)number);
	assert_true(cJSON_IsNumber(value) && value->valuedouble == reading->value / unit);
	assert_age(cJSON_GetObjectItemCaseSensitive(json, "age"), reading);
}

static void assert_payload(const struct way *way)
{
	cJSON *json = cJSON_ParseWithOpts(model.page.text, NULL, true);
	assert_non_null(json);
	const cJSON *boot = cJSON_GetObjectItemCaseSensitive(json, "boot");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "readings");

	assert_true(cJSON_IsNumber(boot) && boot->valuedouble == BOOT);
	if (way->count == 1) {
		assert_null(list);
		assert_reading(json, way->numbers[0]);
	} else {
		assert_int_equal(cJSON_GetArraySize(list), way->count);
		for (int i = 0; i < way->count; i++)
			assert_reading(cJSON_GetArrayItem(list, i), way->numbers[i]);
		model.several++;
	}
	cJSON_Delete(json);
	model.batches++;
}

static void next(enum outbox_lane lane)
{
	struct way wanted = wanted_of(lane);
	const struct outbox_batch *batch = outbox_next(lane, model.now_ms);

	if (model.ways[lane].taken || !wanted.taken) {
		assert_null(batch);
		return;
	}
	model.page = write_batch(batch);
	assert_int_equal(batch->sensor, wanted.sensor);
	assert_payload(&wanted);
	model.ways[lane] = wanted;
	model.lane = lane;
	model.writing = batch;
}

static void written(void)
{
	outbox_written();
	model.writing = NULL;
}

static void acknowledge(enum outbox_lane lane)
{
	struct way *way = &model.ways[lane];

	/* The acknowledgement of what is just being written can only come when its last byte is out. */
	if (model.writing != NULL && lane == model.lane)
		model.page.length = 0;
	outbox_acknowledged(lane, model.now_ms);
	if (!way->taken)
		return;
	for (uint8_t i = 0; i < way->count; i++)
		forget(way->numbers[i]);
	/* What was taken while the batch was under way is told to be no older than its acknowledgement. */
	for (uint32_t number = model.oldest; number < model.next; number++) {
		struct reading *reading = &model.readings[number];
		if (reading->kept && reading->sensor == way->sensor && reading->step > way->step) {
			reading->at_ms = model.now_ms;
			model.capped++;
		}
	}
	way->taken = false;
}

static void rewind_all(void)
{
	outbox_rewind();
	model.writing = NULL;
	memset(model.ways, 0, sizeof model.ways);
}

/* With a link acknowledgements come; without one everything is under way or waits. */
static void do_something(bool link)
{
	uint32_t dice = below(100);

	if (dice < (link ? 40 : 62))
		add();
	else if (dice < (link ? 98 : 64) && model.writing != NULL && below(2) == 0)
		written();
	else if (dice < (link ? 80 : 64) && model.writing == NULL)
		next((enum outbox_lane)(below(4) != 0));
	else if (link && dice < 99)
		acknowledge((enum outbox_lane)(below(4) != 0));
	else if (below(link ? 10 : 2) == 0)
		rewind_all();
}

static void assert_like_the_model(void)
{
	assert_int_equal(outbox_kept(), model.next - model.oldest);
	assert_int_equal(outbox_lost(), model.lost);
	if (model.writing != NULL && model.page.length > 0) {
		struct page again = write_batch(model.writing);
		assert_string_equal(again.text, model.page.text);
	}
}

static void random_operations_from(uint32_t seed, uint32_t now_ms)
{
	bool link = true;

	memset(&model, 0, sizeof model);
	model.now_ms = now_ms;
	chance = seed;
	outbox_init(BOOT);
	for (model.step = 1; model.step <= STEPS; model.step++) {
		model.now_ms += below(50) == 0 ? below(600000) : below(3) * 60 + 1; /* no two steps in one millisecond */
		if (below(link ? 400 : 100) == 0)
			link = !link;
		do_something(link);
		assert_like_the_model();
	}
	/* What was ever added was acknowledged, or is counted as lost. */
	rewind_all();
	send_all(OUTBOX_FIRE, model.now_ms);
	send_all(OUTBOX_OTHER, model.now_ms);
	assert_int_equal(outbox_kept(), 0);
	/* All that is to be seen was seen, and the time wrapped. */
	assert_true(model.batches > 5000 && model.several > 1000 && model.capped > 1000 && model.lost > 1000);
	assert_true(model.now_ms < now_ms || now_ms == 0);
}

static void random_operations(void **state)
{
	(void)state;
	random_operations_from(1, 0);
	random_operations_from(20261122, UINT32_MAX - 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_reading_goes_out_by_itself, start),
		cmocka_unit_test_setup(several_of_a_sensor_go_out_together, start),
		cmocka_unit_test_setup(a_fire_waits_for_nothing, start),
		cmocka_unit_test_setup(what_was_under_way_goes_out_again_and_is_older_then, start),
		cmocka_unit_test_setup(ages_begin_at_a_tenth_of_a_second, start),
		cmocka_unit_test_setup(a_reading_taken_while_another_is_under_way_is_no_older_than_its_acknowledgement, start),
		cmocka_unit_test_setup(the_newest_are_kept, start),
		cmocka_unit_test_setup(nothing_gives_way_while_it_is_being_written, start),
		cmocka_unit_test_setup(the_longest_batch_has_its_size, start),
		cmocka_unit_test_setup(numbers_wrap_in_the_middle_of_a_batch, start),
		cmocka_unit_test(random_operations),
	};
	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
