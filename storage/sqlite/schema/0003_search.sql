-- Schema 3: the search index.

-- What is not in the index though it could be: keys of messages and of conversations (their titles), in ranges that
-- do not overlap. `Reindex` takes it in.
CREATE TABLE unindexed (
    kind TEXT NOT NULL CHECK (kind IN ('message', 'title')),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= first),
    PRIMARY KEY (kind, first)
) STRICT, WITHOUT ROWID;

-- What the index holds, exactly: FTS5 asks them for the text of a row when it proves itself
-- (`integrity-check`), the units when a text is to be taken out. `words_of` and `folded` are functions of ours
-- (storage/sqlite/functions.py).
CREATE VIEW message_words (id, text, owner) AS
SELECT m.id, words_of(CAST(m.parts AS BLOB)), c.owner
FROM message AS m
JOIN conversation AS c ON c.id = m.conversation
WHERE m.status NOT IN ('queued', 'running') AND NOT m.hidden
    AND NOT EXISTS (SELECT 1 FROM unindexed AS u WHERE u.kind = 'message' AND m.id BETWEEN u.first AND u.last);

CREATE VIEW title_words (id, text, owner) AS
SELECT c.id, folded(c.title), c.owner
FROM conversation AS c
WHERE c.title IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM unindexed AS u WHERE u.kind = 'title' AND c.id BETWEEN u.first AND u.last);

-- The tokens are made by `storage.search.words`; `owner` is one more, so that nobody's search goes through the
-- hits of others. No sizes of rows: SQLite's own ranking, which would need them, looks at all hits.
CREATE VIRTUAL TABLE message_text USING fts5 (
    text, owner, content = 'message_words', content_rowid = 'id', tokenize = 'ascii', columnsize = 0
);

CREATE VIRTUAL TABLE title_text USING fts5 (
    text, owner, content = 'title_words', content_rowid = 'id', tokenize = 'ascii', columnsize = 0
);

INSERT INTO unindexed SELECT 'message', min(id), max(id) FROM message HAVING count(*) > 0;
INSERT INTO unindexed SELECT 'title', min(id), max(id) FROM conversation HAVING count(*) > 0;
