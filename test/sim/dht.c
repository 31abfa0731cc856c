/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * dht: the answer is a list of edges, and a simavr timer moves from one to the next. `edge` counts them: 0 and 1 are the
 * response's low and high, then a low and a high for each bit, then the last low.
 */
#include "dht.h"

#include "registers.h"

#include <stdlib.h>

#define PIN          7
#define BITS         40
#define LAST_EDGE    (2 + 2 * BITS)
#define START_LEAST  800
#define ANSWER_AFTER 30

struct dht {
	struct board *board;
	enum dht_health health;
	int temperature, humidity;
	bool pulled;
	uint64_t pulled_at;
	bool answering;
	unsigned edge;
	uint8_t telegram[5];
};

static void compose(struct dht *dht)
{
	const unsigned size = (unsigned)abs(dht->temperature) | (dht->temperature < 0 ? 0x8000U : 0);

	dht->telegram[0] = (uint8_t)(dht->humidity >> 8);
	dht->telegram[1] = (uint8_t)dht->humidity;
	dht->telegram[2] = (uint8_t)(size >> 8);
	dht->telegram[3] = (uint8_t)size;
	dht->telegram[4] = (uint8_t)(dht->telegram[0] + dht->telegram[1] + dht->telegram[2] + dht->telegram[3]);
	if (dht->health == DHT_DAMAGED)
		dht->telegram[4] ^= 0x10;
}

/* Microseconds that the level behind an edge lasts. */
static unsigned lasts(const struct dht *dht, unsigned edge)
{
	const unsigned bit = (edge - 2) / 2;

	if (edge < 2)
		return 80;
	if (edge % 2 == 0)
		return 50;
	return dht->telegram[bit / 8] >> (7 - bit % 8) & 1 ? 70 : 26;
}

static avr_cycle_count_t next_edge(struct avr_t *avr, avr_cycle_count_t when, void *parameter)
{
	struct dht *dht = parameter;
	const unsigned edge = dht->edge++;

	(void)avr;
	if (edge > LAST_EDGE) {
		dht->answering = false;
		board_drive(dht->board, 'D', PIN, true);
		return 0;
	}
	board_drive(dht->board, 'D', PIN, edge % 2);
	return when + BOARD_CYCLES(lasts(dht, edge));
}

static void pin_written(void *context)
{
	struct dht *dht = context;
	const bool pulled = board_pin(dht->board, 'D', PIN) == BOARD_PIN_LOW;
	const uint64_t now = board_us(dht->board);

	if (pulled == dht->pulled)
		return;
	dht->pulled = pulled;
	if (pulled) {
		dht->pulled_at = now;
		return;
	}
	if (now - dht->pulled_at < START_LEAST || dht->answering || dht->health == DHT_SILENT)
		return;
	compose(dht);
	dht->answering = true;
	dht->edge = 0;
	avr_cycle_timer_register(board_avr(dht->board), BOARD_CYCLES(ANSWER_AFTER), next_edge, dht);
}

static void was_reset(void *context)
{
	struct dht *dht = context;

	dht->pulled = false;
	dht->answering = false;
	board_drive(dht->board, 'D', PIN, true);
}

struct dht *dht_new(struct board *board)
{
	struct dht *dht = calloc(1, sizeof *dht);

	if (!dht)
		return NULL;
	dht->board = board;
	dht->temperature = 215;
	dht->humidity = 450;
	board_on_write(board, REGISTER_PORT('D'), pin_written, dht);
	board_on_write(board, REGISTER_DDR('D'), pin_written, dht);
	board_on_reset(board, was_reset, dht);
	return dht;
}

void dht_free(struct dht *dht)
{
	free(dht);
}

void dht_temperature(struct dht *dht, int tenths)
{
	dht->temperature = tenths;
}

void dht_humidity(struct dht *dht, int tenths)
{
	dht->humidity = tenths;
}

void dht_health(struct dht *dht, enum dht_health health)
{
	dht->health = health;
}
