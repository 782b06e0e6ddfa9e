-- What readers read, each call in one transaction of a read-only connection.
-- Every one goes by an index and is cut off by a LIMIT: its cost is that of its answer.

-- name: conversation
{conversation_row}
WHERE c.public = ?1 AND (?2 OR u.name = ?3)

-- name: message
{message_row}
JOIN user AS u ON u.id = c.owner
WHERE m.public = ?1 AND (?2 OR u.name = ?3) AND c.deleted_at_us IS NULL

-- name: node
SELECT id, conversation, parent, depth FROM message WHERE public = ?

-- name: list_seq
SELECT coalesce(max(c.list_seq), 0) FROM user AS u JOIN conversation AS c ON c.owner = u.id WHERE u.name = ?

-- name: conversations
{conversation_row}
WHERE c.owner = (SELECT id FROM user WHERE name = ?) AND c.archived = ? AND c.pinned = ?
    AND (c.activity, c.id) < (?, ?) AND c.deleted_at_us IS NULL
ORDER BY c.activity DESC, c.id DESC
LIMIT ?

-- name: first_questions
-- (no more than the beginning of an answer's row is read: answers may be long)
SELECT asked.value, (SELECT parts FROM message WHERE id = (
    SELECT q.id
    FROM (SELECT id, role, depth, seq FROM message WHERE conversation = asked.value ORDER BY seq LIMIT ?2) AS few
    CROSS JOIN message AS q ON q.id = few.id
    WHERE few.role = 'user' AND NOT q.hidden
    ORDER BY few.depth, few.seq
    LIMIT 1
))
FROM json_each(?1) AS asked

-- name: list_changes
{conversation_row}
WHERE c.owner = (SELECT id FROM user WHERE name = ?) AND c.list_seq > ?
ORDER BY c.list_seq
LIMIT ?

-- name: changed_messages
{message_row}
WHERE m.conversation = ? AND m.seq > ?
ORDER BY m.seq
LIMIT ?

-- name: changed_feedback
SELECT f.seq, f.changed_at_us, m.public, u.name, f.rating, f.comment, f.reasons
FROM feedback AS f
JOIN message AS m ON m.id = f.message
JOIN user AS u ON u.id = f.user
WHERE f.conversation = ? AND f.seq > ?
ORDER BY f.seq
LIMIT ?

-- name: path
-- The message and those above it, newest first.
WITH RECURSIVE up (id, above) AS (
    SELECT id, parent FROM message WHERE id = ?1
    UNION ALL
    SELECT a.id, a.parent FROM up JOIN message AS a ON a.id = up.above
    LIMIT ?2
)
SELECT {message_columns}
FROM up
JOIN message AS m ON m.id = up.id
JOIN conversation AS c ON c.id = m.conversation
LEFT JOIN message AS p ON p.id = m.parent
ORDER BY m.depth DESC

-- name: ancestor
-- The one of depth ?2 on the way up from ?1: by jumps as long as they do not go too far.
WITH RECURSIVE up (id, depth, above, jump, jump_depth) AS (
    SELECT m.id, m.depth, m.parent, m.jump, (SELECT depth FROM message WHERE id = m.jump)
    FROM message AS m
    WHERE m.id = ?1
    UNION ALL
    SELECT m.id, m.depth, m.parent, m.jump, (SELECT depth FROM message WHERE id = m.jump)
    FROM up
    JOIN message AS m ON m.id = iif(up.jump_depth >= ?2, up.jump, up.above)
    WHERE up.depth > ?2
)
SELECT id FROM up WHERE depth = ?2

-- name: below
-- The way down through the newest children, no longer than needed.
WITH RECURSIVE down (id) AS (
    SELECT ?1
    UNION ALL
    SELECT (SELECT max(child.id) FROM message AS child WHERE child.parent = down.id) FROM down
    WHERE down.id IS NOT NULL
    LIMIT ?2
)
SELECT id FROM down WHERE id IS NOT NULL

-- name: siblings
SELECT m.public, s.public
FROM json_each(?) AS asked
JOIN message AS m ON m.id = asked.value
JOIN message AS s ON s.parent = m.parent
ORDER BY m.id, s.id

-- name: roots
SELECT public FROM message WHERE conversation = ? AND parent IS NULL ORDER BY id

-- name: feedback
SELECT m.public, u.name, f.rating, f.comment, f.reasons
FROM json_each(?) AS asked
JOIN message AS m ON m.id = asked.value
JOIN feedback AS f ON f.message = m.id
JOIN user AS u ON u.id = f.user
WHERE f.rating IS NOT NULL
ORDER BY m.id, u.name

-- name: orphans
SELECT m.public FROM run AS r JOIN message AS m ON m.id = r.message WHERE r.owner <> ? ORDER BY r.message

-- name: attachments
SELECT f.id, f.attachment
FROM file AS f
WHERE f.id > ? AND EXISTS (SELECT 1 FROM message_file AS r WHERE r.file = f.id)
ORDER BY f.id
LIMIT ?

-- name: next_of_owner
-- The one made next after that with the key ?2.
{conversation_row}
WHERE c.id = (
    SELECT min(n.id)
    FROM conversation AS n INDEXED BY conversation_owner
    WHERE n.owner = (SELECT id FROM user WHERE name = ?1) AND n.id > ?2 AND n.deleted_at_us IS NULL
)

-- name: conversation_raw
SELECT raw FROM conversation WHERE id = ?

-- name: all_messages
SELECT {message_columns}, m.raw
FROM message AS m
JOIN conversation AS c ON c.id = m.conversation
LEFT JOIN message AS p ON p.id = m.parent
WHERE m.conversation = ?
ORDER BY m.depth, m.id

-- name: all_feedback
SELECT m.public, u.name, f.rating, f.comment, f.reasons
FROM feedback AS f
JOIN message AS m ON m.id = f.message
JOIN user AS u ON u.id = f.user
WHERE f.conversation = ? AND f.rating IS NOT NULL
ORDER BY f.message, u.name
