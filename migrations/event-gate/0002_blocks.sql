-- Tickets that are kept out for now, whatever their credential. What is dead for good is in revocations.
CREATE TABLE blocks (
  ticket_id TEXT PRIMARY KEY,
  actor TEXT NOT NULL,
  blocked_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
