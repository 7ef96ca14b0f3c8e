-- Tickets that are kept out for now, whatever their credential, or were and are not any more. What is dead for good is in revocations.
CREATE TABLE blocks (
  ticket_id TEXT PRIMARY KEY,
  is_blocked INTEGER NOT NULL,
  version INTEGER NOT NULL,
  actor TEXT NOT NULL,
  changed_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
