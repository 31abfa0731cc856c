/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See publishers.h.
 *
 * While they publish, a series belongs to its client's thread; between publishers_end and publishers_begin all are the
 * test's. The threads never fail the test: a client that cannot go on just ends.
 */
#include "publishers.h"

#include "client.h"
#include "house.h"
#include "patience.h"
#include "rows.h"

#include <mosquitto.h>
#include <pthread.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PACKET_IDS   65536
#define CONNECT_MS   5000
#define PAYLOAD_MAX  4200
#define LAST_LOOKS   100
#define FIRST_VALUES 4096

enum form { FORM_NUMBER, FORM_JSON, FORM_WORD, FORMS };

static const struct {
	const char *sensor, *subject;
} names[FORMS] = {
	[FORM_NUMBER] = {"number", "value"},
	[FORM_JSON] = {"json", "value"},
	[FORM_WORD] = {"word", "state"},
};

struct series {
	char device[32];
	const char *sensor, *subject;
	uint32_t published; /* values below it */
	uint32_t room;
	bool *acknowledged; /* by value */
	/* What the last check has seen, in the order of (ts, seq). */
	uint32_t checked; /* values below it */
	int64_t ts, seq;
	size_t stored;
};

struct publisher {
	struct publishers *all;
	pthread_t thread;
	char id[32];
	struct series series[FORMS];
	/* Of one connection. */
	struct mosquitto *mosquitto;
	int connack; /* −1: not there yet */
	size_t on_the_way;
	struct {
		uint8_t form;
		uint32_t value;
	} sent[PACKET_IDS]; /* by packet id */
};

struct publishers {
	size_t count, window, word;
	int port;
	struct publisher *each;
};

/* ---- a client's thread ---- */

static void on_connect(struct mosquitto *mosquitto, void *context, int reason)
{
	struct publisher *publisher = context;

	(void)mosquitto;
	publisher->connack = reason;
}

static void on_publish(struct mosquitto *mosquitto, void *context, int id)
{
	struct publisher *publisher = context;

	(void)mosquitto;
	publisher->series[publisher->sent[id].form].acknowledged[publisher->sent[id].value] = true;
	publisher->on_the_way--;
}

/* Takes the next value of a series. */
static uint32_t next_value(struct series *series)
{
	if (series->published == series->room) {
		uint32_t room = series->room == 0 ? FIRST_VALUES : 2 * series->room;

		series->acknowledged = realloc(series->acknowledged, room * sizeof(bool));
		if (series->acknowledged == NULL)
			abort();
		memset(series->acknowledged + series->room, 0, (room - series->room) * sizeof(bool));
		series->room = room;
	}
	return series->published++;
}

static int write_payload(enum form form, uint32_t value, size_t word, char payload[static PAYLOAD_MAX])
{
	int len;

	if (form == FORM_NUMBER)
		return snprintf(payload, PAYLOAD_MAX, "%u", value);
	if (form == FORM_JSON)
		return snprintf(payload, PAYLOAD_MAX, "{\"value\":%u,\"unit\":\"x\"}", value);
	len = snprintf(payload, PAYLOAD_MAX, "w%u-", value);
	memset(payload + len, 'x', word - (size_t)len);
	return (int)word;
}

static bool publish_next(struct publisher *publisher, enum form form)
{
	char topic[64], payload[PAYLOAD_MAX];
	struct series *series = &publisher->series[form];
	uint32_t value = next_value(series);
	int len = write_payload(form, value, publisher->all->word, payload), id = 0, rc;

	snprintf(topic, sizeof(topic), PUBLISHERS_LOCATION "/%s/%s/%s", series->device, series->sensor, series->subject);
	rc = mosquitto_publish(publisher->mosquitto, &id, topic, len, payload, 1, false);
	/* Also if the connection broke meanwhile: whatever is said of this id later is said of this value. */
	publisher->sent[id].form = (uint8_t)form;
	publisher->sent[id].value = value;
	publisher->on_the_way++;
	return rc == MOSQ_ERR_SUCCESS;
}

static bool step(struct publisher *publisher)
{
	return mosquitto_loop(publisher->mosquitto, 50, 1) == MOSQ_ERR_SUCCESS;
}

static bool sign_in(struct publisher *publisher)
{
	int64_t deadline = deadline_in(CONNECT_MS);

	if (mosquitto_connect(publisher->mosquitto, "127.0.0.1", publisher->all->port, 600) != MOSQ_ERR_SUCCESS)
		return false;
	while (publisher->connack < 0)
		if (!step(publisher) || now_ms() > deadline)
			return false;
	return publisher->connack == 0;
}

/* One connection, from its begin to its loss. */
static void *publish_until_lost(void *context)
{
	struct publisher *publisher = context;
	bool connected;

	publisher->connack = -1;
	publisher->on_the_way = 0;
	publisher->mosquitto = mosquitto_new(publisher->id, true, publisher);
	if (publisher->mosquitto == NULL)
		return NULL;
	mosquitto_int_option(publisher->mosquitto, MOSQ_OPT_SEND_MAXIMUM, 65535);
	mosquitto_int_option(publisher->mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_callback_set(publisher->mosquitto, on_connect);
	mosquitto_publish_callback_set(publisher->mosquitto, on_publish);

	connected = sign_in(publisher);
	for (unsigned i = 0; connected; i++) {
		connected = publish_next(publisher, i % FORMS);
		while (connected && publisher->on_the_way >= publisher->all->window)
			connected = step(publisher);
	}
	/* The broker's last acknowledgements may still wait in the socket. */
	for (int i = 0; i < LAST_LOOKS && step(publisher); i++)
		;
	mosquitto_destroy(publisher->mosquitto);
	return NULL;
}

/* ---- all of them ---- */

struct publishers *publishers_new(size_t clients)
{
	static unsigned made; /* several may publish into one history */
	struct publishers *publishers = calloc(1, sizeof(*publishers));

	assert_non_null(publishers);
	made++;
	publishers->count = clients;
	publishers->each = calloc(clients, sizeof(*publishers->each));
	assert_non_null(publishers->each);
	mosquitto_lib_init();
	for (size_t i = 0; i < clients; i++) {
		struct publisher *publisher = &publishers->each[i];

		publisher->all = publishers;
		snprintf(publisher->id, sizeof(publisher->id), "publisher-%zu", i);
		for (int form = 0; form < FORMS; form++) {
			snprintf(publisher->series[form].device, sizeof(publisher->series[form].device), "uno%u-%zu", made, i);
			publisher->series[form].sensor = names[form].sensor;
			publisher->series[form].subject = names[form].subject;
		}
	}
	return publishers;
}

void publishers_free(struct publishers *publishers)
{
	for (size_t i = 0; i < publishers->count; i++)
		for (int form = 0; form < FORMS; form++)
			free(publishers->each[i].series[form].acknowledged);
	free(publishers->each);
	free(publishers);
}

void publishers_begin(struct publishers *publishers, const struct house *house, size_t window, size_t word)
{
	publishers->port = house->port;
	publishers->window = window;
	publishers->word = word;
	for (size_t i = 0; i < publishers->count; i++) {
		struct publisher *publisher = &publishers->each[i];

		assert_int_equal(pthread_create(&publisher->thread, NULL, publish_until_lost, publisher), 0);
	}
}

void publishers_end(struct publishers *publishers)
{
	for (size_t i = 0; i < publishers->count; i++)
		pthread_join(publishers->each[i].thread, NULL);
}

/* ---- what is stored ---- */

static size_t acknowledged_between(const struct series *series, uint32_t from, uint32_t to, uint32_t *first)
{
	size_t count = 0;

	for (uint32_t value = from; value < to; value++)
		if (series->acknowledged[value] && count++ == 0)
			*first = value;
	return count;
}

static void expect_none_missing(const struct series *series, uint32_t from, uint32_t to, const char *when)
{
	uint32_t first = 0;
	size_t missing = acknowledged_between(series, from, to, &first);

	if (missing > 0)
		fail_msg("%s: %s/%s: %zu acknowledged readings from %u on are not stored "
		         "where they belong",
		         when, series->device, series->sensor, missing, first);
}

/* The next row, "TS|SEQ|VALUE". False: there is none. */
static bool next_row(const char **at, int64_t *ts, int64_t *seq, int64_t *value)
{
	char *end;

	if (**at == '\0')
		return false;
	*ts = strtoll(*at, &end, 10);
	*seq = strtoll(end + 1, &end, 10);
	*value = (int64_t)strtod(end + 1, &end);
	assert_int_equal(*end, '\n');
	*at = end + 1;
	return true;
}

static char *rows_behind(const struct series *series, const struct house *house, const char *when)
{
	char sql[640], *rows;

	snprintf(sql, sizeof(sql),
	         "SELECT ts, seq, coalesce(value, CAST(substr(txt, 2) AS INTEGER)) FROM reading WHERE series_id ="
	         " (SELECT id FROM series WHERE location = '" PUBLISHERS_LOCATION "' AND device = '%s' AND sensor = '%s')"
	         " AND (ts > %lld OR (ts = %lld AND seq > %lld)) ORDER BY ts, seq",
	         series->device, series->sensor, (long long)series->ts, (long long)series->ts, (long long)series->seq);
	rows = rows_now(house, sql);
	if (rows == NULL)
		fail_msg("%s: the history cannot be read", when);
	return rows;
}

/* The rows behind the last one checked have to go on with the values that follow it, in order. */
static void check_series(struct series *series, const struct house *house, const char *when)
{
	char *rows = rows_behind(series, house, when);
	const char *at = rows;
	int64_t value;

	while (next_row(&at, &series->ts, &series->seq, &value)) {
		if (value >= series->published)
			fail_msg("%s: %s/%s: %lld is stored and was never published", when, series->device, series->sensor,
			         (long long)value);
		if (value < series->checked)
			fail_msg("%s: %s/%s: %lld is stored twice or out of order, behind %u", when, series->device, series->sensor,
			         (long long)value, series->checked - 1);
		expect_none_missing(series, series->checked, (uint32_t)value, when);
		series->checked = (uint32_t)value + 1;
		series->stored++;
	}
	free(rows);
	expect_none_missing(series, series->checked, series->published, when);
	series->checked = series->published; /* what was not acknowledged must not come later */
}

void publishers_check(struct publishers *publishers, const struct house *house, bool from_start, const char *when)
{
	for (size_t i = 0; i < publishers->count; i++)
		for (int form = 0; form < FORMS; form++) {
			struct series *series = &publishers->each[i].series[form];

			if (from_start) {
				series->checked = 0;
				series->ts = series->seq = -1;
				series->stored = 0;
			}
			check_series(series, house, when);
		}
}

void publishers_wait_stored(const struct house *house)
{
	static unsigned number;
	char topic[64], text[16], sql[160];
	struct client *client = client_connect(house, CLIENT_V3, NULL);

	number++;
	snprintf(topic, sizeof(topic), "marker/house%d/mark/value", house->port);
	snprintf(text, sizeof(text), "%u", number);
	snprintf(sql, sizeof(sql),
	         "select count(*) from readings where location='marker' and device='house%d' and value=%u", house->port,
	         number);
	client_publish(client, topic, text);
	client_free(client);
	rows_expect(house, sql, "1\n");
}

size_t publishers_published(const struct publishers *publishers)
{
	size_t sum = 0;

	for (size_t i = 0; i < publishers->count; i++)
		for (int form = 0; form < FORMS; form++)
			sum += publishers->each[i].series[form].published;
	return sum;
}

size_t publishers_acknowledged(const struct publishers *publishers)
{
	size_t sum = 0;
	uint32_t first;

	for (size_t i = 0; i < publishers->count; i++)
		for (int form = 0; form < FORMS; form++) {
			const struct series *series = &publishers->each[i].series[form];

			sum += acknowledged_between(series, 0, series->published, &first);
		}
	return sum;
}

size_t publishers_stored(const struct publishers *publishers)
{
	size_t sum = 0;

	for (size_t i = 0; i < publishers->count; i++)
		for (int form = 0; form < FORMS; form++)
			sum += publishers->each[i].series[form].stored;
	return sum;
}
