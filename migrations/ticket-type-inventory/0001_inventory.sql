-- Every reservation ever made here, in the order it was made: `position` is never reused and rows are never deleted.
-- There is no index on expiry: with one hold time the order of positions is the order of expiry.
CREATE TABLE reservations (
  position INTEGER PRIMARY KEY,
  reservation_id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity >= 1),
  restocked_quantity INTEGER NOT NULL CHECK (restocked_quantity BETWEEN 0 AND quantity),
  status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'COMPLETED', 'CANCELLED', 'EXPIRED')),
  expires_at_ms INTEGER NOT NULL,
  order_id TEXT,
  retaken INTEGER NOT NULL CHECK (retaken IN (0, 1)),
  created_at_ms INTEGER NOT NULL
);

-- What was put back on sale, so that a repeat is known.
CREATE TABLE restocks (
  command_id TEXT NOT NULL,
  reservation_id TEXT NOT NULL REFERENCES reservations (reservation_id),
  quantity INTEGER NOT NULL CHECK (quantity >= 1),
  PRIMARY KEY (reservation_id, command_id)
) WITHOUT ROWID;

-- The configuration, as JSON.
CREATE TABLE config (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  body TEXT NOT NULL CHECK (json_valid(body))
);

-- Written with every commit. No reservation at or before `settled_position` is ACTIVE, nor will be again.
CREATE TABLE counters (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  sold_count INTEGER NOT NULL CHECK (sold_count >= 0),
  seq INTEGER NOT NULL,
  history_seq INTEGER NOT NULL,
  clock_ms INTEGER NOT NULL,
  settled_position INTEGER NOT NULL
);
