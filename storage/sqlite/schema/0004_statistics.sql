-- Schema 4: answers by the time at which they were begun.

-- All that the statistics need of an answer, so that its row need not be read. Only what a run of ours writes is in
-- it: messages that come from elsewhere cost nothing here.
CREATE INDEX message_answer ON message (started_at_us, ended_at_us, status, conversation, model, usage)
WHERE started_at_us IS NOT NULL;
