/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * scenario_check: what must hold after a fault; see scenario.h.
 */
#include "../unit/fake_broker.h"
#include "scenario_house.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- documents ---- */

struct found {
	struct ledger *ledger;
	bool seen[LEDGER_DOCUMENTS];
};

/* The payload is this text, in which ' stands for ". NULL: no text. */
static bool says(struct slice payload, const char *text)
{
	size_t i = 0;
	while (text != NULL && i < payload.len && payload.ptr[i] == (text[i] == '\'' ? '"' : text[i]))
		i++;
	return text != NULL && i == payload.len && text[i] == '\0';
}

static void found_one(void *context, struct slice topic, struct slice payload, struct slice author)
{
	struct found *found = context;
	char name[TOPIC_MAX + 1];
	(void)author;

	snprintf(name, sizeof name, "%.*s", (int)topic.len, topic.ptr);
	const struct promise *document = ledger_document(found->ledger, name);
	bool *seen = &found->seen[document - found->ledger->documents];
	if (*seen || (!says(payload, document->payload) && !says(payload, document->perhaps)))
		scenario_fail("%s is \"%.*s\" after a restart, wanted \"%s\"%s", name, (int)payload.len, payload.ptr,
		              document->payload, *seen ? " once" : "");
	*seen = true;
}

static void check_documents(struct house *house)
{
	struct found found = {.ledger = house->ledger};
	storage_each_retained(house->storage, found_one, &found);
	for (size_t i = 0; i < found.ledger->document_count; i++) {
		const struct promise *document = &found.ledger->documents[i];
		bool may_be_gone = document->payload[0] == '\0' || says((struct slice){"", 0}, document->perhaps);
		if (!found.seen[i] && !may_be_gone)
			scenario_fail("%s was taken and is gone after a restart", document->topic);
	}
}

static bool is_there(struct ledger *ledger, const char *topic)
{
	return ledger_document(ledger, topic)->payload[0] != '\0';
}

/* How often a payload was published on a topic since the publishes `from`. */
static size_t published(size_t from, const char *topic, const char *payload)
{
	size_t count = 0;
	for (size_t i = from; i < fake_publishes(); i++)
		count += strcmp(fake_publish_at(i)->topic, topic) == 0 && strcmp(fake_publish_at(i)->payload, payload) == 0;
	return count;
}

/* Configs are in force and the switch holds: not only are they told, they act. */
static void check_control(struct house *house)
{
	struct ledger *ledger = house->ledger;
	const struct promise *hall_auto = ledger_document(ledger, "hall/hearth/auto/state");
	bool kitchen = is_there(ledger, "kitchen/uno1/temperature/config");
	bool limit = is_there(ledger, "all/all/temperature/config");
	bool hall = is_there(ledger, "hall/uno2/temperature/config") && hall_auto->payload[0] == '\0';
	size_t from = fake_publishes();

	house_say(house, "kitchen/uno1/temperature/value", "20");
	house_say(house, "kitchen/uno1/temperature/value", "31");
	if (published(from, "kitchen/fan1/motor/set", "1") != (kitchen ? 1 : 0))
		scenario_fail("the rule of the kitchen %s",
		              kitchen ? "is not in force" : "acts, though its config was not taken");
	uint64_t refused = intake_counters(house->intake).refused;
	house_say(house, "kitchen/uno1/temperature/value", "430");
	if (intake_counters(house->intake).refused != refused + (limit ? 1 : 0))
		scenario_fail("the limits of the house %s", limit ? "are not in force" : "hold, though they were not taken");
	house_say(house, "hall/uno2/temperature/value", "25");
	house_say(house, "hall/uno2/temperature/value", "10");
	if (hall_auto->perhaps == NULL && published(from, "hall/heater1/valve/set", "open") != (hall ? 1 : 0))
		scenario_fail("the rule of the hall %s", hall ? "is not in force" : "acts, though it may not");
}

/* ---- rows ---- */

static const char rows_sql[] =
	"SELECT printf('%s/%s/%s/%s %lld %s', location, device, sensor, subject, ts,"
	" CASE WHEN txt IS NULL THEN printf('%g', value) ELSE substr(txt, 1, 12) || ' ' || length(txt) END)"
	" FROM reading JOIN series ON id = series_id WHERE device IN ('door1', 'count1', 'level1', 'note1') ORDER BY seq";

/* Where in the ledger a row is, at `from` or behind; or row_count. */
static size_t row_find(const struct ledger *ledger, size_t from, const char *row)
{
	while (from < ledger->row_count && strcmp(ledger->rows[from], row) != 0)
		from++;
	return from;
}

/* Every row of the ledger, in its order, and none else; of a damaged journal some may be missing. */
static void check_rows(sqlite3 *database, const struct ledger *ledger)
{
	sqlite3_stmt *rows;
	size_t next = 0, count = 0;
	int code = sqlite3_prepare_v2(database, rows_sql, -1, &rows, NULL);
	while (code == SQLITE_OK && sqlite3_step(rows) == SQLITE_ROW) {
		const char *row = (const char *)sqlite3_column_text(rows, 0);
		size_t at = row_find(ledger, next, row);
		if (at == ledger->row_count)
			scenario_fail("the history has \"%s\", which %s", row,
			              row_find(ledger, 0, row) < ledger->row_count ? "comes twice or too late"
			                                                           : "the counters do not call stored");
		if (at != next && !ledger->damaged)
			scenario_fail("\"%s\" was stored and is not in the history", ledger->rows[next]);
		next = at + 1;
		count++;
	}
	if (code == SQLITE_OK)
		code = sqlite3_finalize(rows);
	if (code != SQLITE_OK)
		scenario_fail("the history: %s", sqlite3_errmsg(database));
	if (next != ledger->row_count && !ledger->damaged)
		scenario_fail("\"%s\" was stored and is not in the history", ledger->rows[next]);
}

static uint64_t number(sqlite3 *database, const char *sql)
{
	sqlite3_stmt *statement;
	uint64_t result = UINT64_MAX;
	if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		result = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return result;
}

static void check_history(const struct options *options, const struct ledger *ledger)
{
	sqlite3 *database;
	const char *path = strchr(options->store, ':') + 1;
	if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		scenario_fail("%s: %s", path, sqlite3_errmsg(database));
	check_rows(database, ledger);
	uint64_t count = number(database, "SELECT count(*) FROM reading");
	if (count != ledger->stored && !(ledger->damaged && count < ledger->stored))
		scenario_fail("%llu rows in the history, and %llu counted as stored", (unsigned long long)count,
		              (unsigned long long)ledger->stored);
	sqlite3_close(database);
}

/* ---- files ---- */

static int check_mode(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)place;
	if ((status->st_mode & 07777) != (type == FTW_D ? 0700 : 0600))
		scenario_fail("%s has mode %o", path, (unsigned)status->st_mode & 07777u);
	return 0;
}

void scenario_check(const struct options *options, struct ledger *ledger)
{
	struct house house = {.ledger = ledger};

	fake_broker_reset();
	if (!house_start(&house, options))
		scenario_fail("does not start again: %s", ledger->error);
	if (!ledger->damaged) {
		check_documents(&house);
		check_control(&house);
	}
	house_end(&house);
	if (nftw(options->state_dir, check_mode, 8, FTW_PHYS) != 0)
		scenario_fail("%s cannot be looked through", options->state_dir);
	check_history(options, ledger);
	fake_broker_reset();
}
