-- Schema 6: how the search index is merged (https://sqlite.org/fts5.html, section 6).

-- By default four segments become one at once, so each word is written again for every fourfold of the index, and a
-- segment is begun with each MiB of words. Sixty-four at a time, and one segment for each group of up to 2,000 messages,
-- cost a third less; `crisismerge` must be above, since such a merge is done in one go, and people wait for it.
INSERT INTO message_text (message_text, rank) VALUES ('automerge', 64), ('crisismerge', 128), ('hashsize', 8388608);
