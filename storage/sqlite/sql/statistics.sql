-- What was answered, and how that was liked. The newest answers only, whosever they are, so that the cost is bounded.

-- name: days
SELECT
    (newest.started_at_us + ?1) / 86400000000 AS day,
    newest.model,
    count(*),
    sum(newest.status = 'complete'),
    sum(f.rating = 'like'),
    sum(f.rating = 'dislike'),
    sum(iif(newest.status = 'complete', newest.ended_at_us - newest.started_at_us, 0)),
    sum(iif(newest.status = 'complete', newest.tokens, 0)),
    sum(iif(newest.status = 'complete' AND newest.tokens > 0, newest.ended_at_us - newest.started_at_us, 0))
FROM (
    SELECT
        id, started_at_us, ended_at_us, status, conversation, model,
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
