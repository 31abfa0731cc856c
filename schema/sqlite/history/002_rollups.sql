-- What the readings of each minute and of each hour come to, kept as they come in; and readings that were refused.
--
--   SELECT time, avg FROM readings_by_hour WHERE device = 'uno1' AND time >= '2026-11-22' AND time < '2026-11-23';
--
-- Of readings that are there already, all hours are reckoned here, and the minutes of the 30 days before the newest one. That
-- takes a second or two a million readings; none of it needs room for sorting, and no sum can become infinite.

-- ts is where the minute begins. Readings that are not numbers do not count.
CREATE TABLE reading_minute (
  series_id INTEGER NOT NULL,
  ts        INTEGER NOT NULL,
  min       REAL    NOT NULL,
  avg       REAL    NOT NULL,
  max       REAL    NOT NULL,
  count     INTEGER NOT NULL,
  PRIMARY KEY (series_id, ts)
) WITHOUT ROWID;

CREATE TABLE reading_hour (
  series_id INTEGER NOT NULL,
  ts        INTEGER NOT NULL,
  min       REAL    NOT NULL,
  avg       REAL    NOT NULL,
  max       REAL    NOT NULL,
  count     INTEGER NOT NULL,
  PRIMARY KEY (series_id, ts)
) WITHOUT ROWID;

-- Rows that `reading` refused, by a constraint or a trigger (RAISE(ABORT, 'reason')) that somebody gave it.
CREATE TABLE reading_reject (
  id        INTEGER PRIMARY KEY,
  refused   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  code      INTEGER NOT NULL, -- SQLite's extended result code
  reason    TEXT    NOT NULL,
  series_id INTEGER NOT NULL,
  ts        INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  value     REAL,
  txt       TEXT
);

CREATE VIEW readings_by_minute (time, location, device, sensor, subject, min, avg, max, count) AS
SELECT strftime('%Y-%m-%dT%H:%M:00Z', r.ts / 1000000, 'unixepoch'),
       s.location, s.device, s.sensor, s.subject, r.min, r.avg, r.max, r.count
  FROM reading_minute r
  JOIN series s ON s.id = r.series_id;

CREATE VIEW readings_by_hour (time, location, device, sensor, subject, min, avg, max, count) AS
SELECT strftime('%Y-%m-%dT%H:00:00Z', r.ts / 1000000, 'unixepoch'),
       s.location, s.device, s.sensor, s.subject, r.min, r.avg, r.max, r.count
  FROM reading_hour r
  JOIN series s ON s.id = r.series_id;

-- `%` rounds towards zero; before 1970 the floor is wanted. An average never leaves its extremes, whatever rounding does.
INSERT INTO reading_hour
SELECT series_id, ts - (ts % 3600000000 + 3600000000) % 3600000000, value, value, value, 1
  FROM reading
 WHERE value IS NOT NULL
    ON CONFLICT DO UPDATE SET
       min = min(min, excluded.min),
       avg = max(min(min, excluded.min), min(max(max, excluded.max),
             avg * (1.0 * count / (count + 1)) + excluded.avg * (1.0 / (count + 1)))),
       max = max(max, excluded.max),
       count = count + 1;

-- Series by series, so that each is read from where it is to begin.
INSERT INTO reading_minute
SELECT r.series_id, r.ts - (r.ts % 60000000 + 60000000) % 60000000, r.value, r.value, r.value, 1
  FROM (SELECT max((SELECT ts FROM reading WHERE series_id = id ORDER BY ts DESC LIMIT 1)) - 30 * 86400000000 AS ts
          FROM series) AS since
 CROSS JOIN series s
 CROSS JOIN reading r
 WHERE r.series_id = s.id
   AND r.ts >= since.ts - (since.ts % 60000000 + 60000000) % 60000000
   AND r.value IS NOT NULL
    ON CONFLICT DO UPDATE SET
       min = min(min, excluded.min),
       avg = max(min(min, excluded.min), min(max(max, excluded.max),
             avg * (1.0 * count / (count + 1)) + excluded.avg * (1.0 / (count + 1)))),
       max = max(max, excluded.max),
       count = count + 1;
