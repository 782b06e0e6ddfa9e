-- What must hold beyond the tables' own rules: each gives the ids of some rows that break it.

-- name: head
SELECT c.public
FROM conversation AS c
LEFT JOIN message AS m ON m.id = c.head
WHERE c.head IS NOT NULL AND m.conversation IS NOT c.id
LIMIT ?

-- name: parent
SELECT m.public
FROM message AS m
LEFT JOIN message AS p ON p.id = m.parent
WHERE m.parent IS NOT NULL AND (p.conversation IS NOT m.conversation OR p.depth IS NOT m.depth - 1)
    AND NOT EXISTS (SELECT 1 FROM conversation AS c WHERE c.id = m.conversation AND c.purged > 0)
LIMIT ?

-- name: jump
-- By the rule of jumps: the parent, or where the jump of the parent's jump goes.
SELECT m.public
FROM message AS m
JOIN message AS p ON p.id = m.parent
LEFT JOIN message AS j ON j.id = p.jump
WHERE m.jump <> p.id AND m.jump IS NOT j.jump
    AND NOT EXISTS (SELECT 1 FROM conversation AS c WHERE c.id = m.conversation AND c.purged > 0)
LIMIT ?

-- name: open_without_run
SELECT m.public
FROM message AS m
WHERE m.status IN ('queued', 'running') AND NOT EXISTS (SELECT 1 FROM run AS r WHERE r.message = m.id)
LIMIT ?

-- name: run_without_open
SELECT m.public
FROM run AS r
JOIN message AS m ON m.id = r.message
WHERE m.status IS NOT iif(r.running, 'running', 'queued') OR m.conversation <> r.conversation
LIMIT ?

-- name: running
SELECT c.public
FROM conversation AS c
WHERE c.running <> EXISTS (SELECT 1 FROM run AS r WHERE r.conversation = c.id)
LIMIT ?

-- name: counter
SELECT c.public
FROM conversation AS c
WHERE c.counter < coalesce((SELECT max(m.seq) FROM message AS m WHERE m.conversation = c.id), 0)
    OR c.counter < coalesce((SELECT max(f.seq) FROM feedback AS f WHERE f.conversation = c.id), 0)
LIMIT ?

-- name: file
-- What is no JSON is told of elsewhere; to SQLite it would be an error.
SELECT m.public
FROM message AS m, json_each(iif(json_valid(m.parts), m.parts, '[]')) AS part
WHERE iif(part.type = 'object', part.value ->> '$.type', NULL) = 'file'
    AND NOT EXISTS (
        SELECT 1
        FROM message_file AS r
        JOIN file AS f ON f.id = r.file
        WHERE r.message = m.id AND hex(f.sha256) = upper(part.value ->> '$.attachment.sha256')
    )
LIMIT ?

-- name: vote
SELECT DISTINCT m.public
FROM feedback AS f
JOIN message AS m ON m.id = f.message
WHERE iif(json_valid(f.reasons), json_type(f.reasons), NULL) IS NOT 'array'
    OR EXISTS (
        SELECT 1 FROM json_each(iif(json_valid(f.reasons), f.reasons, '[]')) AS reason WHERE reason.type <> 'text'
    )
LIMIT ?

-- name: twice
SELECT m.public
FROM message AS m
JOIN conversation AS c ON c.id = m.conversation
WHERE m.seq = c.seq
    OR EXISTS (SELECT 1 FROM feedback AS f WHERE f.conversation = m.conversation AND f.seq = m.seq)
LIMIT ?

-- name: conversation
-- Of this and what follows the JSON is decoded: as bytes, since the driver fails where a text is none.
SELECT id, public, CAST(settings AS BLOB) AS settings FROM conversation WHERE id > ? ORDER BY id LIMIT ?

-- name: message
SELECT id, public, CAST(parts AS BLOB) AS parts, CAST(usage AS BLOB) AS usage
FROM message
WHERE id > ?
ORDER BY id
LIMIT ?

-- name: file_row
SELECT id, sha256, CAST(attachment AS BLOB) AS attachment FROM file WHERE id > ? ORDER BY id LIMIT ?

-- name: unfound
-- What the index is to have, and has not. Each entry has its owner as a term, and each owner is a user.
SELECT m.public
FROM message_words AS w
JOIN message AS m ON m.id = w.id
WHERE w.id NOT IN (
    SELECT t.rowid FROM user AS u JOIN message_text AS t ON t.message_text MATCH 'owner : "' || u.id || '"'
)
LIMIT ?

-- name: found
-- The other way round; the message may be gone.
SELECT coalesce(m.public, x'')
FROM user AS u
JOIN message_text AS t ON t.message_text MATCH 'owner : "' || u.id || '"'
LEFT JOIN message AS m ON m.id = t.rowid
WHERE NOT EXISTS (SELECT 1 FROM message_words AS w WHERE w.id = t.rowid AND w.owner = u.id)
LIMIT ?

-- name: unfound_title
SELECT c.public
FROM title_words AS w
JOIN conversation AS c ON c.id = w.id
WHERE w.id NOT IN (
    SELECT t.rowid FROM user AS u JOIN title_text AS t ON t.title_text MATCH 'owner : "' || u.id || '"'
)
LIMIT ?

-- name: found_title
SELECT coalesce(c.public, x'')
FROM user AS u
JOIN title_text AS t ON t.title_text MATCH 'owner : "' || u.id || '"'
LEFT JOIN conversation AS c ON c.id = t.rowid
WHERE NOT EXISTS (SELECT 1 FROM title_words AS w WHERE w.id = t.rowid AND w.owner = u.id)
LIMIT ?
