-- What each payment event was in its provider's words, when it happened there, what became of it, and how often that was decided.
ALTER TABLE payment_events ADD COLUMN raw_type TEXT NOT NULL DEFAULT '';
ALTER TABLE payment_events ADD COLUMN occurred_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payment_events ADD COLUMN outcome TEXT NOT NULL DEFAULT 'recorded';
ALTER TABLE payment_events ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
