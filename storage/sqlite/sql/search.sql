-- Searching, on a reader. FTS5 gives keys, the newest first; what they stand for is looked up by them.
-- CROSS JOIN: from the keys to the rows, and never the other way round.

-- name: user
SELECT id FROM user WHERE name = ?

-- name: conversation
SELECT id FROM conversation WHERE public = ? AND owner = ?

-- name: reach
-- Between which keys the messages of a conversation are.
SELECT min(id), max(id) FROM message WHERE conversation = ?

-- name: hits_message
SELECT rowid FROM message_text WHERE message_text MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?

-- name: hits_title
SELECT rowid FROM title_text WHERE title_text MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?

-- name: wanted_message
-- ?1 keys, ?2 user, ?3 conversation, ?4 archived ones too, ?5 since, ?6 until, ?7 role, ?8 model, ?9 rating
SELECT m.created_at_us, m.id
FROM json_each(?1) AS asked
CROSS JOIN message AS m ON m.id = asked.value
CROSS JOIN conversation AS c ON c.id = m.conversation
WHERE c.owner = ?2 AND c.deleted_at_us IS NULL AND (?3 IS NULL OR c.id = ?3) AND (?4 OR NOT c.archived)
    AND (?5 IS NULL OR m.created_at_us >= ?5) AND (?6 IS NULL OR m.created_at_us < ?6)
    AND (?7 IS NULL OR m.role = ?7) AND (?8 IS NULL OR m.model = ?8)
    AND (?9 IS NULL OR EXISTS (SELECT 1 FROM feedback AS f WHERE f.message = m.id AND f.user = ?2 AND f.rating = ?9))

-- name: wanted_title
-- Likewise; ?7 to ?9 are of messages alone.
SELECT c.updated_at_us, c.id
FROM json_each(?1) AS asked
CROSS JOIN conversation AS c ON c.id = asked.value
WHERE c.owner = ?2 AND c.deleted_at_us IS NULL AND (?3 IS NULL OR c.id = ?3) AND (?4 OR NOT c.archived)
    AND (?5 IS NULL OR c.updated_at_us >= ?5) AND (?6 IS NULL OR c.updated_at_us < ?6)
    AND coalesce(?7, ?8, ?9) IS NULL

-- name: texts_message
SELECT m.id, CAST(m.parts AS BLOB) FROM json_each(?) AS asked CROSS JOIN message AS m ON m.id = asked.value

-- name: texts_title
SELECT c.id, c.title FROM json_each(?) AS asked CROSS JOIN conversation AS c ON c.id = asked.value

-- name: found_message
SELECT m.id, m.conversation, m.public, m.role, m.model, CAST(m.parts AS BLOB)
FROM json_each(?) AS asked
CROSS JOIN message AS m ON m.id = asked.value

-- name: found_conversation
{conversation_row}
WHERE c.id IN (SELECT value FROM json_each(?))

-- name: unindexed
SELECT coalesce(sum(last - first + 1), 0) FROM unindexed WHERE kind = 'message'
