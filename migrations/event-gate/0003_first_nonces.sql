-- The nonce of the scan that let the ticket in for the first time at the list. Its answer can be told from the rest of the row, so it has
-- no row of its own in nonces.
ALTER TABLE admissions ADD COLUMN first_nonce TEXT;
