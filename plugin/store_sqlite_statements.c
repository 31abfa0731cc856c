/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite_statements: all that is said to SQLite, but for the schema. Every statement finds its rows by a key; what
 * goes through a table of readings from one end to the other has no place here, and a test asks the query planner.
 */
#include "store_sqlite_internal.h"

/*
 * The row of journal ?2. One whose broker had another name comes before that of node ?1 with another journal: nothing of
 * a journal is stored twice because somebody renamed its broker.
 */
#define ITS_ROW                                                                                                        \
	"(SELECT rowid FROM ingest_position WHERE journal = ?2 OR node = ?1"                                               \
	" ORDER BY journal = ?2 DESC, pos DESC, node = ?1 DESC LIMIT 1)"

#define TOPIC "location || '/' || device || '/' || sensor || '/' || subject"

/* The series ?1/?2/?3/?4; NULL, and so no row, if there is none. */
#define ITS_ID "(SELECT id FROM series WHERE location = ?1 AND device = ?2 AND sensor = ?3 AND subject = ?4)"
#define SPAN   "series_id = " ITS_ID " AND ts >= ?5 AND ts < ?6"

/*
 * What new readings (series ?1, beginning ?2, min ?3, avg ?4, max ?5, count ?6) come to with those that were there. The
 * averages are weighted before they are added, so that the sum cannot become infinite; and whatever rounding does, the
 * average never leaves its extremes.
 */
#define ADD_TO(table)                                                                                                  \
	"INSERT INTO " table " (series_id, ts, min, avg, max, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"                      \
	" ON CONFLICT DO UPDATE SET min = min(min, ?3),"                                                                   \
	" avg = max(min(min, ?3), min(max(max, ?5), avg * (1.0 * count / (count + ?6)) + ?4 * (1.0 * ?6 / (count + "       \
	"?6)))),"                                                                                                          \
	" max = max(max, ?5), count = count + ?6"

const char *const lite_sql[LITE_STATEMENT_COUNT] = {
	[LITE_BEGIN] = "BEGIN IMMEDIATE",
	[LITE_COMMIT] = "COMMIT",
	[LITE_ROLLBACK] = "ROLLBACK",

	/* Node ?1, journal ?2, position ?3; from journal ?4, position ?5. */
	[LITE_GET_POSITION] = "SELECT journal, pos FROM ingest_position WHERE rowid = " ITS_ROW,
	[LITE_ADD_POSITION] =
		"INSERT INTO ingest_position (node, journal, pos) SELECT ?1, ?2, ?3 WHERE " ITS_ROW " IS NULL",
	/* It keeps its old name while another journal has the new one. */
	[LITE_MOVE_POSITION] = "UPDATE ingest_position SET journal = ?2, pos = ?3, node = CASE"
						   " WHEN EXISTS (SELECT 1 FROM ingest_position WHERE node = ?1) THEN node ELSE ?1 END"
						   " WHERE rowid = " ITS_ROW " AND journal = ?4 AND pos = ?5",

	[LITE_FIND_SERIES] = "SELECT id FROM series WHERE location = ?1 AND device = ?2 AND sensor = ?3 AND subject = ?4",
	[LITE_ADD_SERIES] = "INSERT INTO series (location, device, sensor, subject) VALUES (?1, ?2, ?3, ?4)",

	/* From ?1/?2 to ?3/?4, where that name is free and not longer than ?5 bytes. */
	[LITE_RENAME_SERIES] =
		"UPDATE series SET location = ?3, device = ?4 WHERE location = ?1 AND device = ?2"
		" AND length(CAST(?3 || '/' || ?4 || '/' || sensor || '/' || subject AS BLOB)) <= ?5"
		" AND NOT EXISTS (SELECT 1 FROM series AS other WHERE other.location = ?3 AND other.device = ?4"
		" AND other.sensor = series.sensor AND other.subject = series.subject)",
	[LITE_COUNT_SERIES] = "SELECT count(*) FROM series WHERE location = ?1 AND device = ?2",

	/* Series ?1, time ?2, position ?3, number ?4, text ?5; code ?6 and reason ?7 why not. */
	[LITE_ADD_READING] = "INSERT INTO reading (series_id, ts, seq, value, txt) VALUES (?1, ?2, ?3, ?4, ?5)",
	/* An earlier journal had a reading of the same instant at the same position: both are kept. */
	[LITE_ADD_READING_BESIDE] = "INSERT INTO reading (series_id, ts, seq, value, txt)"
								" SELECT ?1, ?2, max(seq) + 1, ?4, ?5 FROM reading WHERE series_id = ?1 AND ts = ?2",
	[LITE_REJECT_READING] = "INSERT INTO reading_reject (series_id, ts, seq, value, txt, code, reason)"
							" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[LITE_ADD_MINUTE] = ADD_TO("reading_minute"),
	[LITE_ADD_HOUR] = ADD_TO("reading_hour"),

	/* From series ?1 on. */
	[LITE_NEXT_SERIES] = "SELECT id FROM series WHERE id >= ?1 ORDER BY id LIMIT 1",
	/* Of series ?1 the oldest rows before ?2, at most ?3. */
	[LITE_DROP_READINGS] = "DELETE FROM reading WHERE series_id = ?1 AND (ts, seq) IN"
						   " (SELECT ts, seq FROM reading WHERE series_id = ?1 AND ts < ?2 ORDER BY ts, seq LIMIT ?3)",
	[LITE_DROP_MINUTES] = "DELETE FROM reading_minute WHERE series_id = ?1 AND ts IN"
						  " (SELECT ts FROM reading_minute WHERE series_id = ?1 AND ts < ?2 ORDER BY ts LIMIT ?3)",

	/* In the order of the topic's bytes, which is not that of its levels: "a b/…" comes before "a/…". */
	[LITE_LIST] = "SELECT " TOPIC " AS topic FROM series ORDER BY topic",

	[LITE_POSITIONS] = "SELECT node, journal, pos FROM ingest_position ORDER BY node",

	/* Time, seq, number, text, and for all series the topic. */
	[LITE_LATEST] =
		"SELECT ts, seq, value, txt FROM reading WHERE series_id = " ITS_ID " ORDER BY ts DESC, seq DESC LIMIT 1",
	[LITE_LATEST_OF_ALL] = "SELECT ts, seq, value, txt, " TOPIC " FROM series s CROSS JOIN reading r"
						   " WHERE r.series_id = s.id AND (r.ts, r.seq) ="
						   " (SELECT ts, seq FROM reading WHERE series_id = s.id ORDER BY ts DESC, seq DESC LIMIT 1)",
	[LITE_READINGS] = "SELECT ts, seq, value, txt FROM reading WHERE " SPAN " ORDER BY ts, seq LIMIT ?7",

	/* Time, min, avg, max, count. */
	[LITE_BUCKETS_RAW] =
		"SELECT ts, value, value, value, 1 FROM reading WHERE " SPAN " AND value IS NOT NULL ORDER BY ts",
	[LITE_BUCKETS_MINUTE] = "SELECT ts, min, avg, max, count FROM reading_minute WHERE " SPAN " ORDER BY ts",
	[LITE_BUCKETS_HOUR] = "SELECT ts, min, avg, max, count FROM reading_hour WHERE " SPAN " ORDER BY ts",
};
