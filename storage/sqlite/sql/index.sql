-- The search index. Those that put and drop are widened to hundreds of rows (`storage.sqlite.many`).

-- name: put_message
INSERT INTO message_text (rowid, text, owner) VALUES (?, ?, ?)

-- name: put_many
-- ?1 is the owner of all.
INSERT INTO message_text (rowid, text, owner)
SELECT column1, column2, ?1
FROM (VALUES (?, ?)) AS given
WHERE column1

-- name: put_title
INSERT INTO title_text (rowid, text, owner) VALUES (?, ?, ?)

-- name: drop_message
-- It must be told what was put, to the letter: sqlite.org/fts5.html#the_delete_command
INSERT INTO message_text (rowid, text, owner, message_text) VALUES (?, ?, ?, 'delete')

-- name: drop_title
INSERT INTO title_text (rowid, text, owner, title_text) VALUES (?, ?, ?, 'delete')

-- name: empty_message
INSERT INTO message_text (message_text) VALUES ('delete-all')

-- name: empty_title
INSERT INTO title_text (title_text) VALUES ('delete-all')

-- name: owner_of
SELECT c.owner FROM message AS m JOIN conversation AS c ON c.id = m.conversation WHERE m.id = ?

-- name: words_of_messages
SELECT w.id, w.text, w.owner FROM json_each(?) AS asked JOIN message_words AS w ON w.id = asked.value

-- name: title_of
SELECT title, owner FROM conversation WHERE id = ?

-- name: ranges
SELECT kind, first, last FROM unindexed ORDER BY first

-- name: add_range
INSERT INTO unindexed (kind, first, last) VALUES (?, ?, ?)

-- name: end_range
UPDATE unindexed SET last = ? WHERE kind = ? AND first = ?

-- name: drop_range
DELETE FROM unindexed WHERE kind = ? AND first = ?

-- name: drop_ranges
DELETE FROM unindexed WHERE kind = ?

-- name: newest_message
SELECT max(id) FROM message

-- name: newest_title
SELECT max(id) FROM conversation

-- name: slice_message
-- The newest of a range, each with the length of what it says.
SELECT id, length(parts) FROM message WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?

-- name: slice_title
SELECT id, coalesce(length(title), 0) FROM conversation WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?

-- name: words_message
SELECT id, text, owner FROM message_words WHERE id BETWEEN ? AND ?

-- name: words_title
SELECT id, text, owner FROM title_words WHERE id BETWEEN ? AND ?
