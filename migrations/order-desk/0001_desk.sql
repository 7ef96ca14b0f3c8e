-- Holds made for buyers, so that a hold can be read, used and given back by its id alone. `seq` is the order of making.
CREATE TABLE holds (
  seq INTEGER PRIMARY KEY,
  reservation_id TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
);

-- Orders with what the desk still has to do for them. `due_at_ms` is null when nothing is left to do.
CREATE TABLE orders (
  seq INTEGER PRIMARY KEY,
  order_id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  body TEXT NOT NULL,
  due_at_ms INTEGER,
  created_at_ms INTEGER NOT NULL
);
CREATE INDEX orders_due ON orders (due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX orders_by_user ON orders (user_id, seq);

-- Each payment event once, under the provider's own id.
CREATE TABLE payment_events (
  seq INTEGER PRIMARY KEY,
  provider TEXT NOT NULL,
  event_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  UNIQUE (provider, event_id)
);

-- Answers to requests that made nothing under their own id (refusals, cancellations), so that a repeat gets the first answer.
CREATE TABLE answers (
  seq INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE,
  body_hash TEXT NOT NULL,
  answer TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
);

-- Order numbers leased and not used yet, a block per tenant with one in reserve.
CREATE TABLE number_blocks (
  tenant_id TEXT NOT NULL,
  next_index INTEGER NOT NULL,
  end_index INTEGER NOT NULL,
  shuffle_key TEXT NOT NULL,
  PRIMARY KEY (tenant_id, end_index)
) WITHOUT ROWID;
