/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * scenario: what is played; see scenario.h.
 */
#include "../unit/fake_broker.h"
#include "scenario_house.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what is played ---- */

enum kind {
	ROWS,     /* stores one row for each value, and nothing else happens */
	ROW_RULE, /* stores a row, and rules may store more */
	DOCUMENT, /* a config, or a switch or helper that becomes one */
	REFUSED   /* must not be taken */
};

static const struct play {
	enum kind kind;
	const char *topic;
	const char *payload;  /* ' for " */
	const char *document; /* topic under which it is retained, with `payload` unless `kept` says otherwise */
	const char *kept;
} first_day[] = {
	{DOCUMENT, "all/all/temperature/config", "{'min':-50,'max':99}", "all/all/temperature/config", NULL},
	{DOCUMENT, "kitchen/uno1/temperature/config",
     "{'rules':[{'name':'cool','when':{'above':28},'then':[{'set':'kitchen/fan1/motor','to':1}],"
     "'else':[{'set':'kitchen/fan1/motor','to':0}]}]}",
     "kitchen/uno1/temperature/config", NULL},
	{DOCUMENT, "hall/uno2/temperature/config",
     "{'rules':[{'name':'warm','when':{'below':18},'then':[{'set':'hall/heater1/valve','to':'open'}],"
     "'else':[{'set':'hall/heater1/valve','to':'closed'}]}]}",
     "hall/uno2/temperature/config", NULL},
	{DOCUMENT, "cellar/uno3/humidity/config", "{'max':100}", "cellar/uno3/humidity/config", NULL},
	{ROW_RULE, "kitchen/uno1/temperature/value", "20", NULL, NULL},
	{ROW_RULE, "kitchen/uno1/temperature/value", "30", NULL, NULL},
	{ROW_RULE, "kitchen/uno1/temperature/value", "430", NULL, NULL}, /* above a max, if that config was taken */
	{REFUSED, "kitchen/uno1/temperature/value", "warm", NULL, NULL},
	{REFUSED, "kitchen/uno1/temperature/config", "{'rules':7}", NULL, NULL},
	{DOCUMENT, "hall/hearth/auto/set", "off", "hall/hearth/auto/state", "0"},
	{ROW_RULE, "hall/uno2/temperature/value", "10", NULL, NULL},
	{DOCUMENT, "hall/hearth/target/set", "21.5", "hall/hearth/target/state", NULL},
	{ROWS, "hall/door1/door/value", "open", NULL, NULL},
	{ROWS, "hall/door1/door/value", "closed", NULL, NULL},
	{DOCUMENT, "cellar/uno3/humidity/config", "", "cellar/uno3/humidity/config", NULL},
	{DOCUMENT, "kitchen/hearth/mode/set", "evening", "kitchen/hearth/mode/state", NULL},
};

static const struct play second_day[] = {
	{DOCUMENT, "hall/hearth/target/set", "19", "hall/hearth/target/state", NULL},
	{DOCUMENT, "cellar/uno3/humidity/config", "{'min':5}", "cellar/uno3/humidity/config", NULL},
	{DOCUMENT, "hall/uno2/temperature/config", "", "hall/uno2/temperature/config", NULL},
	{ROW_RULE, "kitchen/uno1/temperature/value", "29", NULL, NULL},
};

#define COUNTER "cellar/count1/count/value"
#define BATCH   "cellar/level1/level/value"
#define TEXT    "kitchen/note1/text/set"

static uint64_t accounted(const struct intake_counters *counters)
{
	return counters->stored + counters->lost + counters->refused + counters->resent + counters->crowded;
}

/* Publishes `values` readings in one message, of a series that no rule touches; returns how many were stored. */
static uint64_t say_rows(struct house *house, const char *topic, const char *payload, uint64_t values)
{
	struct intake_counters before = intake_counters(house->intake);
	house_say(house, topic, payload);
	struct intake_counters after = intake_counters(house->intake);
	uint64_t seen = accounted(&after) - accounted(&before), stored = after.stored - before.stored;
	/* A batch that could not be read, or whose series could not be made, counts as one. */
	if (seen != values && after.refused == before.refused && after.crowded == before.crowded)
		scenario_fail("%s: %llu readings, %llu accounted for (stored %llu, lost %llu)", topic,
		              (unsigned long long)values, (unsigned long long)seen, (unsigned long long)stored,
		              (unsigned long long)(after.lost - before.lost));
	return stored;
}

static void note_row(struct ledger *ledger, const char *topic, int64_t time_us, const char *value)
{
	if (ledger->row_count == LEDGER_ROWS)
		scenario_fail("the ledger is full");
	snprintf(ledger->rows[ledger->row_count++], sizeof ledger->rows[0], "%s %lld %s", topic, (long long)time_us, value);
}

/* One reading, whose row says `value`. */
static void say_row(struct house *house, const char *topic, const char *payload, const char *value)
{
	if (say_rows(house, topic, payload, 1) == 1)
		note_row(house->ledger, topic, now_of(house->ledger).wall_us, value);
}

static void say_count(struct house *house, int number)
{
	char text[16];
	snprintf(text, sizeof text, "%d", number);
	say_row(house, COUNTER, text, text);
}

/* A text of 4 KiB that begins with its number. */
static void say_text(struct house *house, int number)
{
	char text[4001], value[32];
	memset(text, '.', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	snprintf(value, sizeof value, "note %03d ...", number);
	memcpy(text, value, strlen(value));
	snprintf(value, sizeof value, "note %03d ... %zu", number, strlen(text));
	say_row(house, TEXT, text, value);
}

/* Three readings with times of their own, the last of this moment. */
static void say_batch(struct house *house, int first)
{
	char payload[256];
	int seconds = (int)(house->ledger->now_ms + STEP_MS) / 1000;
	snprintf(payload, sizeof payload,
	         "{'readings':[{'time':'2026-11-22T11:%02d:%02dZ','value':%d},{'time':'2026-11-22T11:%02d:%02d.5Z',"
	         "'value':%d},{'time':'2026-11-22T11:%02d:%02d.75Z','value':%d}]}",
	         seconds / 60, seconds % 60, first, seconds / 60, seconds % 60, first + 1, seconds / 60, seconds % 60,
	         first + 2);
	uint64_t stored = say_rows(house, BATCH, payload, 3);
	static const int behind_us[] = {0, 500000, 750000};
	/* A full journal takes the first and loses the rest. */
	for (int i = 0; i < (int)COUNT(behind_us) && i < (int)stored; i++) {
		char value[16];
		snprintf(value, sizeof value, "%d", first + i);
		note_row(house->ledger, BATCH, NOON_US + ((int64_t)seconds - 3600) * 1000000 + behind_us[i], value);
	}
}

struct promise *ledger_document(struct ledger *ledger, const char *topic)
{
	size_t i = 0;
	while (i < ledger->document_count && strcmp(ledger->documents[i].topic, topic) != 0)
		i++;
	if (i == ledger->document_count)
		scenario_fail("%s is no document of the scenario", topic);
	return &ledger->documents[i];
}

/* Before the first day there is none of them. */
static void documents_begin(struct ledger *ledger)
{
	for (size_t i = 0; i < COUNT(first_day); i++) {
		size_t known = 0;
		if (first_day[i].kind != DOCUMENT)
			continue;
		while (known < ledger->document_count && strcmp(ledger->documents[known].topic, first_day[i].document) != 0)
			known++;
		if (known == LEDGER_DOCUMENTS)
			scenario_fail("more documents than the ledger has room for");
		ledger->documents[known] = (struct promise){.topic = first_day[i].document, .payload = ""};
		if (known == ledger->document_count)
			ledger->document_count++;
	}
}

static void say_document(struct house *house, const struct play *play)
{
	struct promise *document = ledger_document(house->ledger, play->document);
	const char *after = play->kept != NULL ? play->kept : play->payload;
	size_t full = fake_lines_with("journal_full");
	uint64_t crowded = intake_counters(house->intake).crowded;
	bool passed = house_say(house, play->topic, play->payload) == INTAKE_PASS;
	if (!passed || fake_lines_with("journal_full") != full)
		return;
	/* Without memory for a series a `set` is counted as not taken in; whether its document is kept is left open. */
	if (intake_counters(house->intake).crowded == crowded)
		document->payload = after;
	document->perhaps = intake_counters(house->intake).crowded == crowded ? NULL : after;
}

static void say_refused(struct house *house, const struct play *play)
{
	struct intake_counters before = intake_counters(house->intake);
	house_say(house, play->topic, play->payload);
	struct intake_counters after = intake_counters(house->intake);
	if (after.stored != before.stored || after.refused != before.refused + 1)
		scenario_fail("%s %s was not refused", play->topic, play->payload);
}

static void play(struct house *house, const struct play *plays, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct play *one = &plays[i];
		switch (one->kind) {
		case ROWS:
			say_row(house, one->topic, one->payload, strcmp(one->payload, "open") == 0 ? "open 4" : "closed 6");
			break;
		case ROW_RULE:
			house_say(house, one->topic, one->payload);
			break;
		case DOCUMENT:
			say_document(house, one);
			break;
		case REFUSED:
			say_refused(house, one);
			break;
		}
	}
}

static void play_first_day(struct house *house)
{
	play(house, first_day, COUNT(first_day));
	for (int i = 0; i < 10; i++)
		say_count(house, i);
	say_batch(house, 100);
	house_settle(house);
	for (int i = 0; i < 36; i++) /* a segment holds 16 */
		say_text(house, i);
	house_settle(house);
	for (int i = 10; i < 20; i++)
		say_count(house, i);
	say_batch(house, 200);
}

static void play_second_day(struct house *house)
{
	play(house, second_day, COUNT(second_day));
	for (int i = 20; i < 25; i++)
		say_count(house, i);
}

static void (*const days[])(struct house *house) = {play_first_day, play_second_day};

bool scenario_play(const struct options *options, struct ledger *ledger)
{
	struct house house = {.ledger = ledger};
	bool started = true;

	fake_broker_reset();
	*ledger = (struct ledger){0};
	documents_begin(ledger);
	for (size_t day = 0; started && day < COUNT(days); day++) {
		started = house_start(&house, options);
		if (started)
			days[day](&house);
		else
			must_be_one_line("the start's error", ledger->error);
		house_end(&house);
	}
	return started;
}
