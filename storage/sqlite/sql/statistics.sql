-- What was answered, and how that was liked. The newest answers only, so that the cost is bounded.

-- name: answered
-- By runs, whosever they are: all but the votes is read from one index. (Of what a median is needed, all is given:
-- sorting it here took longer than all else.)
SELECT
    (newest.started_at_us + ?1) / 86400000000 AS day,
    newest.model,
    count(*),
    sum(newest.status = 'complete'),
    sum(f.rating = 'like'),
    sum(f.rating = 'dislike'),
    group_concat(newest.first_token_us),
    sum(iif(newest.status = 'complete', newest.ended_at_us - newest.started_at_us, 0)),
    sum(iif(newest.status = 'complete', newest.tokens, 0)),
    sum(iif(newest.status = 'complete' AND newest.tokens > 0, newest.ended_at_us - newest.started_at_us, 0))
FROM (
    SELECT
        id, started_at_us, ended_at_us, status, conversation, model, first_token_us,
        coalesce(json_extract(usage, '$.completion_tokens'), 0) AS tokens
    FROM message
    WHERE started_at_us >= ?2 AND ended_at_us IS NOT NULL
    ORDER BY started_at_us DESC
    LIMIT ?3
) AS newest
JOIN conversation AS c ON c.id = newest.conversation
LEFT JOIN feedback AS f ON f.message = newest.id AND f.user = c.owner
WHERE c.owner = (SELECT id FROM user WHERE name = ?4) AND c.deleted_at_us IS NULL
GROUP BY day, newest.model
ORDER BY day, newest.model
LIMIT ?5

-- name: imported
-- Ingestion must not pay for an index of these. So the newest conversations of the list are looked through, as many
-- as have so many messages.
SELECT
    (newest.created_at_us + ?1) / 86400000000 AS day,
    newest.model,
    count(*),
    sum(f.rating = 'like'),
    sum(f.rating = 'dislike')
FROM (
    SELECT m.id, newest.owner, m.role, m.origin, m.hidden, m.model, m.created_at_us
    FROM (
        SELECT id, owner, activity
        FROM conversation
        WHERE owner = (SELECT id FROM user WHERE name = ?4) AND archived = 0 AND pinned = 0
            AND activity >= ?2 AND deleted_at_us IS NULL AND origin IS NOT NULL
        UNION ALL
        SELECT id, owner, activity
        FROM conversation
        WHERE owner = (SELECT id FROM user WHERE name = ?4) AND archived = 0 AND pinned = 1
            AND activity >= ?2 AND deleted_at_us IS NULL AND origin IS NOT NULL
        UNION ALL
        SELECT id, owner, activity
        FROM conversation
        WHERE owner = (SELECT id FROM user WHERE name = ?4) AND archived = 1 AND pinned = 0
            AND activity >= ?2 AND deleted_at_us IS NULL AND origin IS NOT NULL
        UNION ALL
        SELECT id, owner, activity
        FROM conversation
        WHERE owner = (SELECT id FROM user WHERE name = ?4) AND archived = 1 AND pinned = 1
            AND activity >= ?2 AND deleted_at_us IS NULL AND origin IS NOT NULL
        ORDER BY activity DESC
        LIMIT ?3
    ) AS newest
    CROSS JOIN message AS m ON m.conversation = newest.id
    LIMIT ?3
) AS newest
LEFT JOIN feedback AS f ON f.message = newest.id AND f.user = newest.owner
WHERE newest.role = 'assistant' AND newest.origin IS NOT NULL AND NOT newest.hidden AND newest.created_at_us >= ?2
GROUP BY day, newest.model
ORDER BY day, newest.model
LIMIT ?5
