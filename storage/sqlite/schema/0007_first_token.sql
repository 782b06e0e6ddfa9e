-- Schema 7: how long an answer's first token took.

ALTER TABLE message ADD COLUMN first_token_us INTEGER;

-- As it was, and with the new column: the rows need not be read for it.
DROP INDEX message_answer;
CREATE INDEX message_answer
ON message (started_at_us, ended_at_us, status, conversation, model, usage, first_token_us)
WHERE started_at_us IS NOT NULL;
