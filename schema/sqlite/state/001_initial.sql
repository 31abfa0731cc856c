-- The state file, version 1. Which migrations a file has had is in its table schema_version.

-- Documents that Hearth answers for. An empty payload is a tombstone: removed, to be published empty at start.
CREATE TABLE retained (
  topic   TEXT PRIMARY KEY NOT NULL,
  payload BLOB NOT NULL,
  changed INTEGER NOT NULL -- microseconds since 1970-01-01T00:00:00Z
) WITHOUT ROWID;

-- How far the journal has been taken in; one row, that of the journal in use.
CREATE TABLE journal_position (
  journal INTEGER PRIMARY KEY NOT NULL, -- the journal's id, unsigned 64 bits kept as signed
  pos     INTEGER NOT NULL
);
