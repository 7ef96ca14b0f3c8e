-- Clients that broke rate limits, by the hash of who they are; body is their ClientRecord as JSON.
CREATE TABLE clients (
  client TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  forgotten_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX clients_to_forget ON clients (forgotten_at_ms);
