-- Every text that a draft has or had, and those written beside an edited one.
CREATE TABLE draft_versions (
  row           INTEGER PRIMARY KEY,
  draft         INTEGER NOT NULL REFERENCES drafts (row) ON DELETE CASCADE,
  number        INTEGER NOT NULL,             -- counted from 1
  at            INTEGER NOT NULL,
  written_by    INTEGER NOT NULL,
  base          INTEGER NOT NULL,             -- number of the written version that it was made from
  model         TEXT,
  title         TEXT NOT NULL,
  body          TEXT NOT NULL,
  sources       TEXT NOT NULL,                -- JSON
  edit_seconds  REAL,
  edit_distance REAL,
  checksum      INTEGER NOT NULL,             -- of title and body
  UNIQUE (draft, number)
) STRICT;
INSERT INTO draft_versions
  (draft, number, at, written_by, base, model, title, body, sources, edit_seconds, edit_distance, checksum)
SELECT row, 1, coalesce(finished_at, created_at),
  CASE WHEN edit_distance IS NOT NULL THEN 2 WHEN model IS NULL THEN 1 ELSE 0 END,
  1, model, title, body, sources, edit_seconds, edit_distance, checksum
FROM drafts WHERE title <> '' OR body <> '';

-- For lists, newest period first.
CREATE INDEX drafts_period ON drafts (period_to, period_from, id, state);
DROP INDEX drafts_state;
CREATE INDEX drafts_state ON drafts (state, period_to, period_from, id);

PRAGMA user_version = 11;
