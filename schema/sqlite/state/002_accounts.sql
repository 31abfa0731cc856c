-- The state file, version 2: accounts and whose a session is, and who published a config.

-- What Hearth keeps for itself and never publishes: "account/NAME", "session/CLIENTID". A removed one has no row.
CREATE TABLE document (
  name    TEXT PRIMARY KEY NOT NULL,
  body    BLOB NOT NULL,
  changed INTEGER NOT NULL -- microseconds since 1970-01-01T00:00:00Z
) WITHOUT ROWID;

-- The user name under which it was published. Empty: nobody is known, as it was before there were accounts.
ALTER TABLE retained ADD COLUMN author TEXT NOT NULL DEFAULT '';
