-- Three users, each of whom may do no more than its task: whoever gets hold of the broker can add readings and give devices
-- other names, but neither read nor change nor remove what is stored. Put passwords in the places of CHANGE ME, and run this as the server's owner, once
-- before Hearth's tables are made and once after that, and again whenever a later file has made more of them:
--
--   mariadb < hardened.sql
--   mariadb --user=hearth_migrator --password hearth < 001_initial.sql
--   mariadb < hardened.sql
--
--   hearth_migrator  makes the tables; not known to Hearth. The procedure `upkeep` runs with its rights
--   hearth_writer    plugin_opt_store mariadb://hearth_writer@localhost/hearth
--   hearth_reader    plugin_opt_store_reader hearth_reader
--
-- Users on another machine: put that machine's name or address in the place of localhost.

CREATE DATABASE IF NOT EXISTS hearth CHARACTER SET utf8mb4;

CREATE USER IF NOT EXISTS hearth_migrator@localhost IDENTIFIED BY 'CHANGE ME';
CREATE USER IF NOT EXISTS hearth_writer@localhost IDENTIFIED BY 'CHANGE ME';
CREATE USER IF NOT EXISTS hearth_reader@localhost IDENTIFIED BY 'CHANGE ME';

GRANT SELECT, INSERT, UPDATE, CREATE, ALTER, DROP, INDEX, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EXECUTE
   ON hearth.* TO hearth_migrator@localhost;
GRANT SELECT ON hearth.* TO hearth_reader@localhost;

DELIMITER //

BEGIN NOT ATOMIC
  IF EXISTS (SELECT 1 FROM information_schema.routines WHERE routine_schema = 'hearth' AND routine_name = 'upkeep') THEN
    GRANT SELECT                 ON hearth.schema_version  TO hearth_writer@localhost;
    GRANT SELECT, INSERT         ON hearth.series          TO hearth_writer@localhost;
    GRANT UPDATE (location, device) ON hearth.series       TO hearth_writer@localhost; -- to rename devices
    GRANT INSERT                 ON hearth.reading         TO hearth_writer@localhost;
    GRANT INSERT                 ON hearth.reading_reject  TO hearth_writer@localhost;
    GRANT SELECT, INSERT, UPDATE ON hearth.reading_minute  TO hearth_writer@localhost;
    GRANT SELECT, INSERT, UPDATE ON hearth.reading_hour    TO hearth_writer@localhost;
    GRANT SELECT, INSERT, UPDATE ON hearth.ingest_position TO hearth_writer@localhost;
    GRANT SELECT, INSERT, UPDATE ON hearth.witness_position TO hearth_writer@localhost;
    -- What `upkeep` keeps at least; put what you want there.
    INSERT INTO hearth.keep_at_least SELECT 400, 30 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM hearth.keep_at_least);
    GRANT EXECUTE ON PROCEDURE hearth.upkeep               TO hearth_writer@localhost;
  END IF;
END //

DELIMITER ;
