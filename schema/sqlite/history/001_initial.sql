-- The history store, version 1. Which migrations a file has had is in its table schema_version.
--
-- To look something up, ask the view:
--
--   SELECT * FROM readings WHERE location = 'livingroom' AND sensor = 'temperature' ORDER BY time DESC LIMIT 20;
--   SELECT avg(value) FROM readings WHERE device = 'uno1' AND time >= '2026-11-22T10' AND time < '2026-11-22T11';
--
-- Times are text that sorts and compares as time does. They are computed row by row, so name the series too where
-- there are many; a program that wants millions of rows asks `reading` by series_id and ts, its key.

CREATE TABLE series (
  id       INTEGER PRIMARY KEY,
  location TEXT NOT NULL,
  device   TEXT NOT NULL,
  sensor   TEXT NOT NULL,
  subject  TEXT NOT NULL,
  UNIQUE (location, device, sensor, subject)
);

CREATE TABLE reading (
  series_id INTEGER NOT NULL,
  ts        INTEGER NOT NULL, -- microseconds since 1970-01-01T00:00:00Z
  seq       INTEGER NOT NULL, -- position in the journal: tells two readings of one instant apart
  value     REAL,             -- NULL: not a number
  txt       TEXT,             -- the word as it was published; NULL: a plain number
  PRIMARY KEY (series_id, ts, seq)
) WITHOUT ROWID;

-- How far each broker's journal is stored; it moves in the same transaction as the rows.
CREATE TABLE ingest_position (
  node    TEXT PRIMARY KEY NOT NULL,
  journal INTEGER NOT NULL, -- the journal's id, unsigned 64 bits kept as signed
  pos     INTEGER NOT NULL
);

-- `/` and `%` round towards zero; before 1970 the second and its fraction need the floor instead.
CREATE VIEW readings (time, location, device, sensor, subject, value, text) AS
SELECT strftime('%Y-%m-%dT%H:%M:%S', (r.ts - (r.ts % 1000000 + 1000000) % 1000000) / 1000000, 'unixepoch')
         || printf('.%06dZ', (r.ts % 1000000 + 1000000) % 1000000),
       s.location, s.device, s.sensor, s.subject, r.value, r.txt
  FROM reading r
  JOIN series s ON s.id = r.series_id;
