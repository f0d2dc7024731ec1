-- A draft belongs to a repository: two repositories of the same name are two projects. Outside of any repository it
-- belongs to the project's name.
CREATE TABLE drafts_of_repositories (
  row           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE,
  kind          TEXT NOT NULL,
  project       TEXT NOT NULL,                -- as it is shown, told apart from others of the same name
  repo_id       TEXT,
  repo_path     TEXT,
  period_from   INTEGER NOT NULL,
  period_to     INTEGER NOT NULL,
  state         TEXT NOT NULL,
  attempt       INTEGER NOT NULL DEFAULT 0,   -- fencing token: only ever rises
  max_attempts  INTEGER NOT NULL,
  allowance     INTEGER NOT NULL,             -- attempts that a retry grants anew
  next_at       INTEGER,
  lease_until   INTEGER,
  model         TEXT,
  title         TEXT NOT NULL DEFAULT '',
  body          TEXT NOT NULL DEFAULT '',
  format        TEXT NOT NULL DEFAULT 'markdown',
  sources       TEXT NOT NULL DEFAULT '[]',   -- JSON
  edit_seconds  REAL,
  edit_distance REAL,
  quality       TEXT,                         -- JSON
  error         TEXT,
  created_at    INTEGER NOT NULL,
  finished_at   INTEGER,
  checksum      INTEGER NOT NULL              -- of title and body
) STRICT;

-- The repository that most of its captures come from; before it was written, most captures of its project and period.
-- A text that mixes several is written again by the next run, unless a person has changed, accepted or rejected it.
INSERT INTO drafts_of_repositories
  (row, id, kind, project, repo_id, period_from, period_to, state, attempt, max_attempts, allowance, next_at,
   lease_until, model, title, body, format, sources, edit_seconds, edit_distance, quality, error, created_at,
   finished_at, checksum)
SELECT d.row, d.id, d.kind, d.project,
  coalesce(
    (SELECT c.repo_id FROM json_each(CASE WHEN json_valid(d.sources) THEN d.sources ELSE '[]' END) s
       JOIN captures c ON c.id = s.value WHERE c.repo_id IS NOT NULL
     GROUP BY c.repo_id ORDER BY count(*) DESC, c.repo_id LIMIT 1),
    (SELECT c.repo_id FROM captures c
     WHERE c.project = d.project AND c.at >= d.period_from AND c.at < d.period_to AND c.repo_id IS NOT NULL
     GROUP BY c.repo_id ORDER BY count(*) DESC, c.repo_id LIMIT 1)),
  d.period_from, d.period_to, d.state, d.attempt, d.max_attempts, d.allowance, d.next_at, d.lease_until, d.model,
  d.title, d.body, d.format, d.sources, d.edit_seconds, d.edit_distance, d.quality, d.error, d.created_at,
  d.finished_at, d.checksum
FROM drafts d;

-- A repository that was renamed within the period had two drafts: the later one stays one of its name alone.
UPDATE drafts_of_repositories AS later SET repo_id = NULL
WHERE repo_id IS NOT NULL AND EXISTS (
  SELECT 1 FROM drafts_of_repositories one
  WHERE one.kind = later.kind AND one.repo_id = later.repo_id AND one.period_from = later.period_from
    AND one.period_to = later.period_to AND one.row < later.row);
UPDATE drafts_of_repositories AS d SET repo_path = (
  SELECT CASE WHEN json_valid(c.rest) THEN json_extract(c.rest, '$.repo_path') END
  FROM captures c WHERE c.repo_id = d.repo_id ORDER BY c.at DESC, c.row DESC LIMIT 1)
WHERE repo_id IS NOT NULL;

DROP TABLE drafts;
ALTER TABLE drafts_of_repositories RENAME TO drafts;
CREATE UNIQUE INDEX drafts_once ON drafts
  (kind, coalesce(repo_id, ''), CASE WHEN repo_id IS NULL THEN project ELSE '' END, period_from, period_to);
CREATE INDEX drafts_due ON drafts (created_at, row) WHERE state IN ('queued', 'leased');

PRAGMA user_version = 6;
