-- The one event of this gate.
CREATE TABLE config (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  tenant_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  starts_at_ms INTEGER NOT NULL,
  ends_at_ms INTEGER NOT NULL
);

CREATE TABLE ticket_types (
  number INTEGER PRIMARY KEY,
  ticket_type_id TEXT NOT NULL,
  name TEXT NOT NULL
);

-- What became of a ticket at a list; list_id is '' where the scan named none.
CREATE TABLE admissions (
  ticket_id TEXT NOT NULL,
  list_id TEXT NOT NULL,
  entry_count INTEGER NOT NULL,
  inside INTEGER NOT NULL,
  first_admitted_at_ms INTEGER NOT NULL,
  highest_epoch INTEGER NOT NULL,
  PRIMARY KEY (ticket_id, list_id)
) WITHOUT ROWID;

-- Dead credentials of a ticket: those below min_epoch, or all when it is null.
CREATE TABLE revocations (
  ticket_id TEXT PRIMARY KEY,
  min_epoch INTEGER,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  revoked_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- First answers, for a device that asks again because it never heard one. ticket_id is '' for a code that was not ours.
CREATE TABLE nonces (
  ticket_id TEXT NOT NULL,
  list_id TEXT NOT NULL,
  type TEXT NOT NULL,
  nonce TEXT NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (ticket_id, list_id, type, nonce)
) WITHOUT ROWID;

-- Kept beside the admissions, so that nobody ever counts them all.
CREATE TABLE counters (
  list_id TEXT NOT NULL,
  ticket_type_number INTEGER NOT NULL,
  admitted INTEGER NOT NULL,
  inside INTEGER NOT NULL,
  PRIMARY KEY (list_id, ticket_type_number)
) WITHOUT ROWID;
