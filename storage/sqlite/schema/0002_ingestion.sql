-- Schema 2: conversations that come from elsewhere, and a list in the order of time.

-- The same rules in other words. SQLite makes a table of a list of more than two and looks each value up in it: more
-- than a third of the time that inserting a message took. It is no matter of the content, so the text may be edited:
-- https://sqlite.org/lang_altertable.html, section 8.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(
    replace(
        sql,
        'role IN (''system'', ''user'', ''assistant'', ''tool'')',
        'role = ''system'' OR role = ''user'' OR role = ''assistant'' OR role = ''tool'''
    ),
    'status IN (''queued'', ''running'', ''complete'', ''stopped'', ''failed'', ''interrupted'')',
    'status = ''queued'' OR status = ''running'' OR status = ''complete'' OR status = ''stopped'' OR status = ''failed'' '
    || 'OR status = ''interrupted'''
)
WHERE type = 'table' AND name = 'message';
PRAGMA writable_schema = RESET;

-- 16 bytes each. `origin` stands for the source and its id; `origin_digest` for all that came from there (null:
-- slices are still missing, and until then the conversation is marked as deleted); `raw`, JSON, is what the source
-- said beyond what is kept elsewhere.
ALTER TABLE conversation ADD COLUMN origin BLOB CHECK (length(origin) = 16);
ALTER TABLE conversation ADD COLUMN origin_digest BLOB
    CHECK (origin_digest IS NULL OR (length(origin_digest) = 16 AND origin IS NOT NULL))
    CHECK (origin IS NULL OR origin_digest IS NOT NULL OR deleted_at_us IS NOT NULL);
ALTER TABLE conversation ADD COLUMN raw TEXT;

CREATE UNIQUE INDEX conversation_origin ON conversation (owner, origin) WHERE origin IS NOT NULL;
CREATE INDEX conversation_owner ON conversation (owner) WHERE deleted_at_us IS NULL;

-- `origin` stands for the source's id within its conversation. There is no index on it: it is asked for only when
-- a conversation comes again, whose messages are all looked through then.
ALTER TABLE message ADD COLUMN origin BLOB CHECK (length(origin) = 8);
ALTER TABLE message ADD COLUMN raw TEXT;
ALTER TABLE message ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1));

-- It was the list_seq at which the newest message was stored; now it is when (a clock that never steps back).
UPDATE conversation SET activity = updated_at_us;
