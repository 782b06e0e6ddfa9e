-- The whole of the newest schema, for reading. A test proves that the numbered files make the same.

-- Integer keys inside, UUIDv7 as 16 bytes in `public` where an id is shown. Times are microseconds since 1970.
-- `seq` is the change of the conversation at which a row became what it is; `list_seq` that of its owner's list.
--
-- Not foreign keys, on purpose: message.parent, message.jump and conversation.head. Each would be searched for,
-- through an index of its own, at every message removed, and a purge removes in the order of `seq`, children
-- and parents mixed. The units look each of them up before they write it, and `check` proves all of them.

CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,           -- made new unless the last stop was clean
    clean INTEGER NOT NULL CHECK (clean IN (0, 1))
) STRICT;

CREATE TABLE user (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE conversation (
    id INTEGER PRIMARY KEY,
    public BLOB NOT NULL UNIQUE CHECK (length(public) = 16),
    owner INTEGER NOT NULL REFERENCES user (id),
    title TEXT,
    head INTEGER,                  -- message.id
    settings TEXT NOT NULL,        -- JSON
    pinned INTEGER NOT NULL CHECK (pinned IN (0, 1)),
    archived INTEGER NOT NULL CHECK (archived IN (0, 1)),
    running INTEGER NOT NULL CHECK (running IN (0, 1)),
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL, -- when its newest message was stored
    changed_at_us INTEGER NOT NULL, -- when `seq` was counted
    deleted_at_us INTEGER,
    purged INTEGER NOT NULL DEFAULT 0 CHECK (purged IN (0, 1, 2)), -- 1: begun, 2: nothing is left
    seq INTEGER NOT NULL,
    counter INTEGER NOT NULL CHECK (counter >= seq), -- the newest seq of all its rows but deltas
    list_seq INTEGER NOT NULL,
    activity INTEGER NOT NULL,     -- place in the list: microseconds since 1970 of its newest message, or a little more
    key TEXT,                      -- idempotency
    digest BLOB,
    -- 16 bytes each of what comes from elsewhere: `origin` stands for the source and its id, `origin_digest` for all
    -- that came from there (null: slices are still missing, and until then it is marked as deleted).
    origin BLOB CHECK (length(origin) = 16),
    origin_digest BLOB
        CHECK (origin_digest IS NULL OR (length(origin_digest) = 16 AND origin IS NOT NULL))
        CHECK (origin IS NULL OR origin_digest IS NOT NULL OR deleted_at_us IS NOT NULL),
    raw TEXT,                      -- JSON: what its source said beyond what is kept elsewhere
    origin_dated_us INTEGER,       -- when its source had last changed the version that is here; null: it did not say
    CHECK ((key IS NULL) = (digest IS NULL)),
    CHECK (purged = 0 OR deleted_at_us IS NOT NULL)
) STRICT;

CREATE INDEX conversation_list ON conversation (owner, archived, pinned, activity) WHERE deleted_at_us IS NULL;
CREATE UNIQUE INDEX conversation_list_seq ON conversation (owner, list_seq);
CREATE UNIQUE INDEX conversation_key ON conversation (owner, key) WHERE key IS NOT NULL;
CREATE INDEX conversation_deleted ON conversation (deleted_at_us) WHERE deleted_at_us IS NOT NULL AND purged < 2;
CREATE UNIQUE INDEX conversation_origin ON conversation (owner, origin) WHERE origin IS NOT NULL;
CREATE INDEX conversation_owner ON conversation (owner) WHERE deleted_at_us IS NULL;

CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    public BLOB NOT NULL UNIQUE CHECK (length(public) = 16),
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    parent INTEGER,                -- message.id
    -- An ancestor further up, so that any ancestor is found in O(log depth) steps: E. W. Myers, "An applicative
    -- random-access stack", Information Processing Letters 17(5), 1983. Null at the root.
    jump INTEGER,
    depth INTEGER NOT NULL CHECK (depth >= 0),
    role TEXT NOT NULL CHECK (role = 'system' OR role = 'user' OR role = 'assistant' OR role = 'tool'),
    status TEXT NOT NULL
        CHECK (status = 'queued' OR status = 'running' OR status = 'complete' OR status = 'stopped' OR status = 'failed'
            OR status = 'interrupted'),
    parts TEXT NOT NULL,           -- JSON
    reason TEXT,
    reason_code TEXT,
    continues BLOB,                -- message.public
    responder TEXT,
    model TEXT,
    usage TEXT,                    -- JSON
    memory_from BLOB,              -- message.public
    created_at_us INTEGER NOT NULL,
    started_at_us INTEGER,
    ended_at_us INTEGER,
    seq INTEGER NOT NULL,
    owner INTEGER,                 -- user.id, set with the key
    key TEXT,                      -- idempotency
    digest BLOB,
    -- Stands for the source's id within its conversation. No index: it is asked for only when a conversation comes
    -- again, whose messages are all looked through then.
    origin BLOB CHECK (length(origin) = 8),
    raw TEXT,                      -- JSON: what its source said beyond what is kept elsewhere
    hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
    first_token_us INTEGER,        -- from `started_at_us` until something was said
    CHECK ((parent IS NULL) = (depth = 0)),
    CHECK ((parent IS NULL) = (jump IS NULL)),
    CHECK ((key IS NULL) = (digest IS NULL) AND (key IS NULL) = (owner IS NULL))
) STRICT;

CREATE UNIQUE INDEX message_seq ON message (conversation, seq);
CREATE INDEX message_child ON message (parent) WHERE parent IS NOT NULL;
CREATE INDEX message_root ON message (conversation) WHERE parent IS NULL;
CREATE UNIQUE INDEX message_key ON message (owner, key) WHERE key IS NOT NULL;
-- All that the statistics need of an answer, so that its row need not be read. Only what a run of ours writes is in
-- it: messages that come from elsewhere cost nothing here.
CREATE INDEX message_answer
ON message (started_at_us, ended_at_us, status, conversation, model, usage, first_token_us)
WHERE started_at_us IS NOT NULL;

-- Queued and running answers only.
CREATE TABLE run (
    message INTEGER PRIMARY KEY REFERENCES message (id),
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    user INTEGER NOT NULL REFERENCES user (id),
    owner TEXT NOT NULL,           -- the process that writes the answer
    running INTEGER NOT NULL CHECK (running IN (0, 1))
) STRICT;

CREATE INDEX run_conversation ON run (conversation);
CREATE UNIQUE INDEX run_one ON run (conversation) WHERE running;
CREATE INDEX run_user ON run (user);

-- What running answers have said, only ever appended to; rows of answers that have ended are dead.
-- No index and no foreign key: each token would pay for it.
CREATE TABLE delta (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    part INTEGER NOT NULL,
    start INTEGER,                 -- null: the part is opened, and `body` is the part as JSON
    body TEXT NOT NULL
) STRICT;

CREATE TABLE feedback (
    message INTEGER NOT NULL REFERENCES message (id),
    user INTEGER NOT NULL REFERENCES user (id),
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    rating TEXT CHECK (rating IN ('like', 'dislike')), -- null: taken back
    comment TEXT,
    reasons TEXT NOT NULL,         -- JSON
    changed_at_us INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (message, user)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX feedback_seq ON feedback (conversation, seq);

-- Each content that messages refer to, once; what is not referred to any more goes with `ForgetFiles`.
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    attachment TEXT NOT NULL       -- JSON, as it was first referred to
) STRICT;

CREATE TABLE message_file (
    message INTEGER NOT NULL REFERENCES message (id),
    file INTEGER NOT NULL REFERENCES file (id),
    PRIMARY KEY (message, file)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_file_file ON message_file (file);

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

-- Sixty-four segments are merged at a time, by steps; and the words of a whole group of messages are one segment.
INSERT INTO message_text (message_text, rank) VALUES ('automerge', 64), ('crisismerge', 128), ('hashsize', 8388608);
