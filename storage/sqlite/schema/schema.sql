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
    activity INTEGER NOT NULL,     -- the list_seq at which its newest message was stored
    key TEXT,                      -- idempotency
    digest BLOB,
    CHECK ((key IS NULL) = (digest IS NULL)),
    CHECK (purged = 0 OR deleted_at_us IS NOT NULL)
) STRICT;

CREATE INDEX conversation_list ON conversation (owner, archived, pinned, activity) WHERE deleted_at_us IS NULL;
CREATE UNIQUE INDEX conversation_list_seq ON conversation (owner, list_seq);
CREATE UNIQUE INDEX conversation_key ON conversation (owner, key) WHERE key IS NOT NULL;
CREATE INDEX conversation_deleted ON conversation (deleted_at_us) WHERE deleted_at_us IS NOT NULL AND purged < 2;

CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    public BLOB NOT NULL UNIQUE CHECK (length(public) = 16),
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    parent INTEGER,                -- message.id
    -- An ancestor further up, so that any ancestor is found in O(log depth) steps: E. W. Myers, "An applicative
    -- random-access stack", Information Processing Letters 17(5), 1983. Null at the root.
    jump INTEGER,
    depth INTEGER NOT NULL CHECK (depth >= 0),
    role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
    status TEXT NOT NULL
        CHECK (status IN ('queued', 'running', 'complete', 'stopped', 'failed', 'interrupted')),
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
    CHECK ((parent IS NULL) = (depth = 0)),
    CHECK ((parent IS NULL) = (jump IS NULL)),
    CHECK ((key IS NULL) = (digest IS NULL) AND (key IS NULL) = (owner IS NULL))
) STRICT;

CREATE UNIQUE INDEX message_seq ON message (conversation, seq);
CREATE INDEX message_child ON message (parent) WHERE parent IS NOT NULL;
CREATE INDEX message_root ON message (conversation) WHERE parent IS NULL;
CREATE UNIQUE INDEX message_key ON message (owner, key) WHERE key IS NOT NULL;

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
