-- What the object has decided and the rest of the world has not heard yet. A row is deleted once delivered.
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL,
  body TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at_ms INTEGER NOT NULL DEFAULT 0
);
-- Only rows that were set aside are in it, so it costs nothing while all goes well.
CREATE INDEX outbox_set_aside ON outbox (due_at_ms) WHERE due_at_ms > 0;
