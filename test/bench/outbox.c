/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outbox: see outbox.h. What goes into the journal is what plugin/feed.c puts there, and the keeping thread's rounds are
 * those of plugin/keeper.c without trimming.
 */
#include "outbox.h"
#include "clock.h"
#include "readings.h"
#include "record.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SEGMENT_SIZE (UINT64_C(16) << 20) /* as with the plugin's default quota */
#define SEGMENTS_MIN 8                    /* of the quota; the journal wants 4, and spare ones are part of it */
#define ROOM_TIMEOUT (20 * SECOND_NS)

struct outbox {
	struct journal *journal;
	pthread_t keeper;
	atomic_bool stopping;
};

static void *keep(void *argument)
{
	struct outbox *outbox = argument;
	char error[256];
	while (!atomic_load(&outbox->stopping)) {
		journal_sync(outbox->journal, error, sizeof(error)); /* where it fails, the journal fills up and says so */
		journal_wait(outbox->journal, OUTBOX_SYNC_MS);
	}
	return NULL;
}

struct outbox *outbox_open(const char *folder, uint64_t room, struct fault *fault)
{
	char error[256] = "";
	struct outbox *outbox = calloc(1, sizeof(*outbox));
	if (outbox == NULL) {
		fault_set(fault, "no memory");
		return NULL;
	}
	struct journal_options options = {
		.directory = folder,
		.quota = (room / SEGMENT_SIZE + SEGMENTS_MIN) * SEGMENT_SIZE,
		.segment_size = SEGMENT_SIZE,
	};
	outbox->journal = journal_open(&options, error, sizeof(error));
	if (outbox->journal == NULL) {
		fault_set(fault, "%s", error);
		free(outbox);
		return NULL;
	}
	if (pthread_create(&outbox->keeper, NULL, keep, outbox) != 0) {
		fault_set(fault, "cannot start a thread");
		journal_close(outbox->journal);
		free(outbox);
		return NULL;
	}
	return outbox;
}

void outbox_close(struct outbox *outbox)
{
	if (outbox == NULL) {
		return;
	}
	atomic_store(&outbox->stopping, true);
	journal_wake(outbox->journal);
	pthread_join(outbox->keeper, NULL);
	journal_close(outbox->journal);
	free(outbox);
}

struct journal *outbox_journal(const struct outbox *outbox)
{
	return outbox->journal;
}

bool outbox_await_room(struct outbox *outbox, size_t bytes, struct fault *fault)
{
	int64_t deadline_ns = clock_ns() + ROOM_TIMEOUT;
	while (journal_reserve(outbox->journal, bytes, JOURNAL_READING) == 0) {
		if (clock_ns() > deadline_ns) {
			return fault_set(fault, "the journal takes no more readings");
		}
		journal_wake(outbox->journal);
		clock_sleep_us(200);
	}
	return true;
}

bool outbox_fill(struct outbox *outbox, uint64_t count, uint32_t series, struct fault *fault)
{
	uint8_t record[RECORD_READING_HEAD + READINGS_NAME_MAX];
	char name[READINGS_NAME_MAX];
	const size_t need = journal_record_size(8 + READINGS_NAME_MAX) + journal_record_size(RECORD_READING_HEAD);
	uint64_t *defined = calloc(series, sizeof(*defined)); /* in which segment */
	bool filled = true;
	if (defined == NULL) {
		return fault_set(fault, "no memory");
	}
	for (uint64_t i = 0; filled && i < count; i++) {
		struct reading reading = readings_at(i, series);
		struct value value = {.number = reading.number, .is_number = true};
		filled = outbox_await_room(outbox, need, fault);
		if (!filled) {
			break;
		}
		uint64_t segment = journal_reserve(outbox->journal, need, JOURNAL_READING);
		if (defined[reading.series] != segment) {
			size_t len = readings_topic(reading.series, name);
			len = record_put_series(record, reading.series, (struct slice){name, len});
			journal_append(outbox->journal, RECORD_SERIES, record, len);
			defined[reading.series] = segment;
		}
		size_t len = record_put_reading(record, reading.series, reading.time_us, false, &value);
		if (journal_append(outbox->journal, RECORD_READING, record, len) == 0) {
			filled = fault_set(fault, "the journal refused a reading that it had room for");
		}
	}
	free(defined);
	return filled;
}
