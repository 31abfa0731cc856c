-- The history store in MariaDB, version 1. Hearth applies this by itself where its user may; else apply it by hand, in
-- Hearth's database, as a user who may:
--
--   mariadb hearth < 001_initial.sql
--
-- It makes what is missing and leaves what is there, so it may be run again at any time.
--
-- To look something up, ask the views:
--
--   SELECT * FROM readings WHERE location = 'livingroom' AND sensor = 'temperature' ORDER BY time DESC LIMIT 20;
--   SELECT time, avg FROM readings_by_hour WHERE device = 'uno1' AND time >= '2026-11-22' AND time < '2026-11-23';
--
-- Their times are text in UTC, computed row by row; a program that wants millions of rows asks `reading` by series_id and
-- ts, its key. ts is microseconds since 1970-01-01T00:00:00Z everywhere.

-- The procedures below keep these, so they are the same whoever applies this.
SET NAMES utf8mb4;
SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

CREATE TABLE IF NOT EXISTS schema_version (
  version INT UNSIGNED NOT NULL PRIMARY KEY,
  name    VARCHAR(100) NOT NULL,
  applied TIMESTAMP    NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Stays: while there is no row at all, a dump is being put back, and nobody else is to make tables.
INSERT IGNORE INTO schema_version (version, name) VALUES (0, 'begun');

CREATE TABLE IF NOT EXISTS series (
  id       INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  location VARCHAR(512) NOT NULL,
  device   VARCHAR(512) NOT NULL,
  sensor   VARCHAR(512) NOT NULL,
  subject  VARCHAR(16)  NOT NULL,
  topic    VARCHAR(512) AS (CONCAT(location, '/', device, '/', sensor, '/', subject)) PERSISTENT,
  UNIQUE KEY by_topic (topic)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- One partition a month; `upkeep` below makes them ahead of time. The oldest also takes what is older still.
CREATE TABLE IF NOT EXISTS reading (
  series_id INT UNSIGNED NOT NULL,
  ts        BIGINT       NOT NULL,
  seq       BIGINT       NOT NULL, -- position in the journal: tells two readings of one instant apart
  value     DOUBLE,                -- NULL: not a number
  -- The word as it was published; NULL: a plain number. No VARCHAR: each row that is touched would copy its 16 KiB.
  txt       TEXT CHECK (LENGTH(txt) <= 4096),
  PRIMARY KEY (series_id, ts, seq)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin
PARTITION BY RANGE (ts) (PARTITION later VALUES LESS THAN MAXVALUE);

-- What the readings of a minute and of an hour that are numbers come to; ts is where it begins.
CREATE TABLE IF NOT EXISTS reading_minute (
  series_id INT UNSIGNED NOT NULL,
  ts        BIGINT       NOT NULL,
  min       DOUBLE       NOT NULL,
  avg       DOUBLE       NOT NULL,
  max       DOUBLE       NOT NULL,
  count     INT UNSIGNED NOT NULL,
  PRIMARY KEY (series_id, ts)
) ENGINE = InnoDB
PARTITION BY RANGE (ts) (PARTITION later VALUES LESS THAN MAXVALUE);

CREATE TABLE IF NOT EXISTS reading_hour (
  series_id INT UNSIGNED NOT NULL,
  ts        BIGINT       NOT NULL,
  min       DOUBLE       NOT NULL,
  avg       DOUBLE       NOT NULL,
  max       DOUBLE       NOT NULL,
  count     INT UNSIGNED NOT NULL,
  PRIMARY KEY (series_id, ts)
) ENGINE = InnoDB;

-- Rows that `reading` refused, with the reason.
CREATE TABLE IF NOT EXISTS reading_reject (
  id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  refused   TIMESTAMP       NOT NULL DEFAULT CURRENT_TIMESTAMP,
  code      INT UNSIGNED    NOT NULL, -- MariaDB's error number
  reason    VARCHAR(512)    NOT NULL,
  series_id INT UNSIGNED    NOT NULL,
  ts        BIGINT          NOT NULL,
  seq       BIGINT          NOT NULL,
  value     DOUBLE,
  txt       VARBINARY(4096)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- How far each broker's journal is stored; it moves in the same transaction as the rows.
CREATE TABLE IF NOT EXISTS ingest_position (
  node    VARCHAR(255)    NOT NULL PRIMARY KEY,
  journal BIGINT UNSIGNED NOT NULL, -- the journal's id
  pos     BIGINT UNSIGNED NOT NULL,
  KEY by_journal (journal)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- The same once more. A dump comes back table by table in the order of their names, so that this one is the last: as long as
-- the two differ, a backup is being put back under a running broker, which then stores nothing until they agree.
CREATE TABLE IF NOT EXISTS witness_position (
  node    VARCHAR(255)    NOT NULL PRIMARY KEY,
  journal BIGINT UNSIGNED NOT NULL,
  pos     BIGINT UNSIGNED NOT NULL,
  KEY by_journal (journal)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- A row here holds `upkeep` to these days at least, whatever it is asked for: so that whoever has got hold of the writer's
-- password cannot have the history dropped. No row: nothing to hold it to.
CREATE TABLE IF NOT EXISTS keep_at_least (
  raw_days    INT UNSIGNED NOT NULL,
  minute_days INT UNSIGNED NOT NULL
) ENGINE = InnoDB;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW readings (time, location, device, sensor, subject, value, text) AS
SELECT DATE_FORMAT(TIMESTAMPADD(MICROSECOND, r.ts, '1970-01-01'), '%Y-%m-%dT%H:%i:%s.%fZ'),
       s.location, s.device, s.sensor, s.subject, r.value, r.txt
  FROM reading r
  JOIN series s ON s.id = r.series_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW readings_by_minute
  (time, location, device, sensor, subject, min, avg, max, count) AS
SELECT DATE_FORMAT(TIMESTAMPADD(MICROSECOND, r.ts, '1970-01-01'), '%Y-%m-%dT%H:%i:00Z'),
       s.location, s.device, s.sensor, s.subject, r.min, r.avg, r.max, r.count
  FROM reading_minute r
  JOIN series s ON s.id = r.series_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW readings_by_hour
  (time, location, device, sensor, subject, min, avg, max, count) AS
SELECT DATE_FORMAT(TIMESTAMPADD(MICROSECOND, r.ts, '1970-01-01'), '%Y-%m-%dT%H:00:00Z'),
       s.location, s.device, s.sensor, s.subject, r.min, r.avg, r.max, r.count
  FROM reading_hour r
  JOIN series s ON s.id = r.series_id;

DELIMITER //

-- Partitions of one table: made up to two months ahead, and those dropped that end `keep_days` or more before now (0: none).
-- The first ones reach back as far as is kept (13 months if for ever, at most ten years), for history that is moved here. Those
-- that lie further ahead, which a wrong clock had made, become months like the others again, unless they hold so much that it
-- is rather the clock of now that is wrong.
CREATE OR REPLACE PROCEDURE upkeep_of(IN tab VARCHAR(64), IN now_us BIGINT, IN keep_days INT)
  SQL SECURITY DEFINER
BEGIN
  DECLARE today DATE DEFAULT TIMESTAMPADD(MICROSECOND, now_us, '1970-01-01');
  DECLARE month, last DATE;
  DECLARE end_us, last_us, ahead BIGINT;
  DECLARE old_parts, parts MEDIUMTEXT DEFAULT '';

  SET last = TIMESTAMPADD(MONTH, 3, today - INTERVAL DAYOFMONTH(today) - 1 DAY);
  SET last_us = TIMESTAMPDIFF(SECOND, '1970-01-01', last) * 1000000;
  SELECT SUM(table_rows) INTO ahead FROM information_schema.partitions
   WHERE table_schema = DATABASE() AND table_name = tab AND partition_name <> 'later'
     AND CAST(partition_description AS SIGNED) > last_us;
  IF ahead > 100000 THEN
    SET last_us = 9223372036854775807;
  END IF;
  SET month = IF(keep_days > 0, today - INTERVAL LEAST(keep_days, 3650) DAY, today - INTERVAL 13 MONTH);
  SET month = month - INTERVAL DAYOFMONTH(month) - 1 DAY;
  SELECT MAX(CAST(partition_description AS SIGNED)) INTO end_us FROM information_schema.partitions
   WHERE table_schema = DATABASE() AND table_name = tab AND partition_name <> 'later'
     AND CAST(partition_description AS SIGNED) <= last_us;
  SELECT GROUP_CONCAT(partition_name ORDER BY partition_ordinal_position) INTO old_parts
    FROM information_schema.partitions WHERE table_schema = DATABASE() AND table_name = tab
     AND (partition_name = 'later' OR CAST(partition_description AS SIGNED) > last_us);
  SET month = GREATEST(month, COALESCE(TIMESTAMPADD(MICROSECOND, end_us, '1970-01-01'), month));
  WHILE month < last DO
    SET end_us = TIMESTAMPDIFF(SECOND, '1970-01-01', month + INTERVAL 1 MONTH) * 1000000;
    SET parts = CONCAT(parts, 'PARTITION ', DATE_FORMAT(month, 'p%Y_%m'), ' VALUES LESS THAN (', end_us, '), ');
    SET month = month + INTERVAL 1 MONTH;
  END WHILE;
  IF parts <> '' OR old_parts <> 'later' THEN
    EXECUTE IMMEDIATE CONCAT('ALTER TABLE ', tab, ' REORGANIZE PARTITION ', old_parts, ' INTO (', parts,
                             'PARTITION later VALUES LESS THAN MAXVALUE)');
  END IF;

  IF keep_days > 0 THEN
    SELECT GROUP_CONCAT(partition_name) INTO parts FROM information_schema.partitions
     WHERE table_schema = DATABASE() AND table_name = tab AND partition_name <> 'later'
       AND CAST(partition_description AS SIGNED) <= now_us - keep_days * 86400000000;
    IF parts IS NOT NULL THEN
      EXECUTE IMMEDIATE CONCAT('ALTER TABLE ', tab, ' DROP PARTITION ', parts);
    END IF;
  END IF;
END //

-- What Hearth calls every hour. Days that are kept: 0 for ever. A broker's clock that is ahead of the server's drops nothing.
CREATE OR REPLACE PROCEDURE upkeep(IN now_us BIGINT, IN keep_raw_days INT, IN keep_minute_days INT)
  SQL SECURITY DEFINER
BEGIN
  DECLARE raw_least, minute_least INT;

  SELECT COALESCE(MAX(raw_days), 0), COALESCE(MAX(minute_days), 0) INTO raw_least, minute_least FROM keep_at_least;
  SET now_us = LEAST(now_us, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)));
  CALL upkeep_of('reading', now_us, IF(keep_raw_days > 0, GREATEST(keep_raw_days, raw_least), 0));
  CALL upkeep_of('reading_minute', now_us, IF(keep_minute_days > 0, GREATEST(keep_minute_days, minute_least), 0));
END //

DELIMITER ;

INSERT INTO schema_version (version, name) VALUES (1, '001_initial') ON DUPLICATE KEY UPDATE name = VALUES(name);
