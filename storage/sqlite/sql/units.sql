-- What units read and write: on the writing connection only.

-- name: user
SELECT id FROM user WHERE name = ?

-- name: insert_user
INSERT INTO user (name) VALUES (?)

-- name: last_list_seq
SELECT max(list_seq) FROM conversation WHERE owner = ?

-- name: last_activity
-- One step in each stretch of the list's index.
SELECT max(
    coalesce((
        SELECT max(activity)
        FROM conversation
        WHERE owner = ?1 AND archived = 0 AND pinned = 0 AND deleted_at_us IS NULL
    ), 0),
    coalesce((
        SELECT max(activity)
        FROM conversation
        WHERE owner = ?1 AND archived = 0 AND pinned = 1 AND deleted_at_us IS NULL
    ), 0),
    coalesce((
        SELECT max(activity)
        FROM conversation
        WHERE owner = ?1 AND archived = 1 AND pinned = 0 AND deleted_at_us IS NULL
    ), 0),
    coalesce((
        SELECT max(activity)
        FROM conversation
        WHERE owner = ?1 AND archived = 1 AND pinned = 1 AND deleted_at_us IS NULL
    ), 0)
)

-- name: made_conversation
SELECT c.digest, c.public
FROM conversation AS c
JOIN user AS u ON u.id = c.owner
WHERE u.name = ? AND c.key = ?

-- name: made_message
SELECT m.digest, c.public, m.public
FROM message AS m
JOIN user AS u ON u.id = m.owner
JOIN conversation AS c ON c.id = m.conversation
WHERE u.name = ? AND m.key = ?

-- name: conversation
{conversation_row}
WHERE c.public = ?

-- name: insert_conversation
INSERT INTO conversation (
    public, owner, title, settings, pinned, archived, running, created_at_us, updated_at_us, changed_at_us,
    seq, counter, list_seq, activity, key, digest
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: count_change
-- Only the counter has moved: no index is touched.
UPDATE conversation SET counter = ? WHERE id = ?

-- name: update_conversation
-- What no list shows has changed.
UPDATE conversation
SET head = ?, settings = coalesce(?, settings), changed_at_us = ?, seq = ?, counter = ?
WHERE id = ?

-- name: update_listed_conversation
UPDATE conversation
SET head = ?, settings = coalesce(?, settings), changed_at_us = ?, seq = ?, counter = ?, title = ?, pinned = ?, archived = ?,
    running = ?, updated_at_us = ?, deleted_at_us = ?, list_seq = ?, activity = ?
WHERE id = ?

-- name: message
{message_row}
WHERE m.public = ?

-- name: message_at
{message_row}
WHERE m.id = ?

-- name: first_answer
{message_row}
WHERE m.parent = ? AND m.role = 'assistant'
ORDER BY m.id
LIMIT 1

-- name: newest_leaf
WITH RECURSIVE down (id) AS (
    SELECT ?
    UNION ALL
    SELECT (SELECT max(child.id) FROM message AS child WHERE child.parent = down.id) FROM down
    WHERE down.id IS NOT NULL
)
SELECT max(id) FROM down

-- name: insert_message
INSERT INTO message (
    public, conversation, parent, jump, depth, role, status, parts, continues, responder, model,
    created_at_us, started_at_us, seq, owner, key, digest
) VALUES (
    ?, ?, ?3,
    iif(?4, (SELECT b.jump FROM message AS a JOIN message AS b ON b.id = a.jump WHERE a.id = ?3), ?3),
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
)

-- name: update_message
UPDATE message
SET status = ?, parts = ?, reason = ?, reason_code = ?, model = ?, usage = ?, memory_from = ?,
    started_at_us = ?, ended_at_us = ?, first_token_us = ?, seq = ?
WHERE id = ?

-- name: insert_file
INSERT INTO file (sha256, attachment) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING

-- name: insert_message_file
INSERT INTO message_file (message, file) SELECT ?, id FROM file WHERE sha256 = ? ON CONFLICT DO NOTHING

-- name: runs
SELECT message, owner, running FROM run WHERE conversation = ? ORDER BY message

-- name: count_runs
SELECT count(*) FROM run WHERE user = ?

-- name: insert_run
INSERT INTO run (message, conversation, user, owner, running) VALUES (?, ?, ?, ?, ?)

-- name: start_run
UPDATE run SET running = 1 WHERE message = ?

-- name: end_run
DELETE FROM run WHERE message = ?
RETURNING conversation, (SELECT public FROM message WHERE id = run.message)

-- name: live
SELECT r.message, r.owner, c.id, c.public, c.counter
FROM message AS m
JOIN run AS r ON r.message = m.id
JOIN conversation AS c ON c.id = r.conversation
WHERE m.public = ? AND r.running

-- name: append_said
INSERT INTO delta (id, message, seq, part, start, body) VALUES (?, ?, ?, ?, ?, ?)

-- name: said
-- The whole table, once: only asked for after a process has died.
SELECT d.message, m.public, d.part, d.start, d.body
FROM delta AS d
JOIN message AS m ON m.id = d.message
WHERE d.message IN (SELECT value FROM json_each(?))
ORDER BY d.id

-- name: first_said
SELECT d.message, min(d.id) FROM delta AS d JOIN run AS r ON r.message = d.message GROUP BY d.message ORDER BY min(d.id)

-- name: counters_in_deltas
-- Where deltas have counted further than the conversation's row knows.
SELECT c.id, max(d.seq)
FROM delta AS d
JOIN message AS m ON m.id = d.message
JOIN conversation AS c ON c.id = m.conversation
GROUP BY c.id
HAVING max(d.seq) > c.counter

-- name: last_delta
SELECT max(id) FROM delta

-- name: trim_said
DELETE FROM delta WHERE id < ?

-- name: clear_said
-- Without WHERE: whole pages are freed, not row by row.
DELETE FROM delta

-- name: feedback
SELECT m.public, f.rating, f.comment, f.reasons
FROM feedback AS f
JOIN message AS m ON m.id = f.message
WHERE f.message = ? AND f.user = ?

-- name: put_feedback
INSERT INTO feedback (message, user, conversation, rating, comment, reasons, changed_at_us, seq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (message, user) DO UPDATE
SET rating = excluded.rating, comment = excluded.comment, reasons = excluded.reasons,
    changed_at_us = excluded.changed_at_us, seq = excluded.seq

-- name: purgeable
{conversation_row}
WHERE c.deleted_at_us IS NOT NULL AND c.deleted_at_us <= ? AND c.purged < 2
ORDER BY c.deleted_at_us
LIMIT 1

-- name: purge_candidates
SELECT id FROM message WHERE conversation = ? ORDER BY seq DESC LIMIT ?

-- name: purge_feedback
DELETE FROM feedback WHERE message = ?

-- name: purge_message_files
DELETE FROM message_file WHERE message = ?

-- name: purge_message
DELETE FROM message WHERE id = ?

-- name: begin_purge
UPDATE conversation SET purged = 1, head = NULL, origin = NULL, origin_digest = NULL, origin_dated_us = NULL, raw = NULL WHERE id = ?

-- name: end_purge
UPDATE conversation
SET purged = 2, head = NULL, title = NULL, settings = '{{}}', pinned = 0, archived = 0, key = NULL, digest = NULL,
    origin = NULL, origin_digest = NULL, origin_dated_us = NULL, raw = NULL
WHERE id = ?

-- name: referenced
SELECT f.sha256
FROM file AS f
WHERE f.sha256 = ? AND EXISTS (SELECT 1 FROM message_file AS r WHERE r.file = f.id)

-- name: forget_file
DELETE FROM file
WHERE sha256 = ? AND NOT EXISTS (SELECT 1 FROM message_file AS r WHERE r.file = file.id)

-- name: newest_id
SELECT max(
    coalesce((SELECT max(public) FROM conversation), x''), coalesce((SELECT max(public) FROM message), x'')
)

-- name: touch
UPDATE meta SET clean = 1 - clean WHERE id = 1

-- name: last_keys
SELECT (SELECT coalesce(max(id), 0) FROM conversation), (SELECT coalesce(max(id), 0) FROM message)

-- name: origins
SELECT origin, id, public, origin_digest, deleted_at_us IS NOT NULL, coalesce(origin_dated_us, 0)
FROM conversation
WHERE owner = ? AND origin IN (?)

-- name: insert_conversations
-- This and the next three are done for many rows at once (`storage.sqlite.many`). For 0 and '' they store null: the
-- driver takes ten times as long to hand over None.
INSERT INTO conversation (
    id, public, owner, title, head, settings, pinned, archived, running, created_at_us, updated_at_us,
    changed_at_us, deleted_at_us, seq, counter, list_seq, activity, origin, origin_digest, raw, origin_dated_us
)
SELECT
    column1, column2, column3, column4, nullif(column5, 0), column6, column7, column8, 0, column9, column10,
    column11, nullif(column12, 0), column13, column14, column15, column16, column17, column18,
    nullif(column19, ''), nullif(column20, 0)
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) AS given
WHERE column1

-- name: insert_messages
INSERT INTO message (
    id, public, conversation, parent, jump, depth, seq, role, status, parts, model, created_at_us, origin,
    reason, usage, raw, hidden
)
SELECT
    column1, column2, column3, nullif(column4, 0), nullif(column5, 0), column6, column7, column8, column9,
    column10, nullif(column11, ''), column12, column13, nullif(column14, ''), nullif(column15, ''),
    nullif(column16, ''), column17
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) AS given
WHERE column1

-- name: insert_gathered
-- Rows that know their places only (`storage.sqlite.ready`), from 1 on: ?1 is added to make keys of messages of them,
-- ?3 to make those of conversations; ?2 has all ids, 16 bytes each, and ?4 all origins, 8 bytes each.
INSERT INTO message (
    id, public, conversation, parent, jump, depth, seq, role, status, parts, model, created_at_us, origin,
    reason, usage, raw, hidden
)
SELECT
    ?1 + column1, substr(?2, 16 * column1 - 15, 16), ?3 + column2, ?1 + nullif(column3, 0), ?1 + nullif(column4, 0),
    column5, column6, column7, column8, column9, nullif(column10, ''), column11, substr(?4, 8 * column1 - 7, 8),
    nullif(column12, ''), nullif(column13, ''), nullif(column14, ''), column15
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) AS given
WHERE column1

-- name: insert_gathered_plain
INSERT INTO message (
    id, public, conversation, parent, jump, depth, seq, role, status, parts, model, created_at_us, origin
)
SELECT
    ?1 + column1, substr(?2, 16 * column1 - 15, 16), ?3 + column2, ?1 + nullif(column3, 0), ?1 + nullif(column4, 0),
    column5, column6, column7, column8, column9, nullif(column10, ''), column11, substr(?4, 8 * column1 - 7, 8)
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) AS given
WHERE column1

-- name: insert_votes
INSERT INTO feedback (message, user, conversation, rating, comment, reasons, changed_at_us, seq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: replace_message
UPDATE message
SET role = ?, status = ?, parts = ?, reason = ?, model = ?, usage = ?, created_at_us = ?, seq = ?, raw = ?, hidden = ?
WHERE id = ?

-- name: jump
SELECT jump FROM message WHERE id = ?

-- name: ingested
SELECT origin, id, depth FROM message WHERE conversation = ? AND origin IS NOT NULL

-- name: written
SELECT public, id, depth FROM message WHERE conversation = ?

-- name: messages_at
SELECT {message_columns}, m.raw
FROM json_each(?) AS asked
JOIN message AS m ON m.id = asked.value
JOIN conversation AS c ON c.id = m.conversation
LEFT JOIN message AS p ON p.id = m.parent

-- name: voted
SELECT f.message FROM json_each(?) AS asked JOIN feedback AS f ON f.message = asked.value AND f.user = ?

-- name: set_version
UPDATE conversation SET origin_digest = ?, raw = ?, origin_dated_us = ? WHERE id = ?
