-- Lists of columns and joins that the statements share, put in where they say {name}.

-- name: conversation_row
SELECT
    c.id, c.owner, c.public, u.name, c.title, c.head, h.public, h.depth, c.settings, c.pinned, c.archived,
    c.running, c.created_at_us, c.updated_at_us, c.changed_at_us, c.deleted_at_us, c.purged, c.seq, c.counter,
    c.list_seq, c.activity, c.origin IS NOT NULL AND c.origin_digest IS NULL
FROM conversation AS c
JOIN user AS u ON u.id = c.owner
LEFT JOIN message AS h ON h.id = c.head

-- name: message_columns
    m.id, m.conversation, m.parent, m.public, c.public, p.public, m.depth, m.role, m.status, m.parts, m.reason,
    m.reason_code, m.continues, m.responder, m.model, m.usage, m.memory_from, m.created_at_us, m.started_at_us,
    m.ended_at_us, m.first_token_us, m.seq, m.hidden

-- name: message_row
SELECT {message_columns}
FROM message AS m
JOIN conversation AS c ON c.id = m.conversation
LEFT JOIN message AS p ON p.id = m.parent
