-- Schema 5: which of two versions of a conversation that comes from elsewhere is the older one.

-- When its source had last changed the version that is here: microseconds since 1970; null: it did not say, or the
-- version came before this was remembered.
ALTER TABLE conversation ADD COLUMN origin_dated_us INTEGER;
