-- Times are microseconds since 1970 (UTC). Enumerations in `captures` and `series` are the numbers of
-- `codes.rs`: they are on disk, so they are never renumbered.

CREATE TABLE repositories (
  id         TEXT NOT NULL PRIMARY KEY,
  path       BLOB NOT NULL,             -- bytes: paths need not be UTF-8
  common_dir BLOB NOT NULL,
  project    TEXT NOT NULL,
  since      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each spool file has been taken over; moves in the same transaction as the events.
CREATE TABLE spools (
  file   TEXT NOT NULL PRIMARY KEY,
  offset INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  row         INTEGER PRIMARY KEY,
  spool       TEXT,                     -- absent when it did not come through a spool
  stamp       INTEGER NOT NULL,
  source      INTEGER NOT NULL,
  hook        TEXT,
  git_dir     BLOB NOT NULL,
  oid         TEXT,
  rewrites    TEXT NOT NULL,            -- JSON: [[old, new], …]
  in_sequence INTEGER NOT NULL,
  closed      INTEGER NOT NULL DEFAULT 0,
  note        TEXT
) STRICT;
CREATE INDEX events_open ON events (stamp, row) WHERE closed = 0;
CREATE INDEX events_closed ON events (stamp) WHERE closed = 1;
-- Two readers of one spool may deliver the same record; it is still one event.
CREATE UNIQUE INDEX events_once
  ON events (spool, stamp, git_dir, coalesce(hook, ''), coalesce(oid, ''), rewrites) WHERE spool IS NOT NULL;

CREATE TABLE captures (
  row           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE,
  at            INTEGER NOT NULL,       -- author date
  captured_at   INTEGER NOT NULL,
  kind          INTEGER NOT NULL,
  state         INTEGER NOT NULL,
  source        INTEGER NOT NULL,
  written_by    INTEGER NOT NULL,
  reason        INTEGER NOT NULL,
  punctual      INTEGER NOT NULL,       -- 0 had no budget or is not final, 1 late, 2 on time
  project       TEXT NOT NULL,
  repo_id       TEXT,
  oid           TEXT,
  patch_id      TEXT,
  subject       TEXT,
  tags          TEXT NOT NULL,          -- JSON
  raw           TEXT NOT NULL,
  summary       TEXT NOT NULL,
  template      TEXT NOT NULL,
  supersedes    TEXT NOT NULL,          -- JSON
  superseded_by INTEGER,                -- row of the capture that replaced it
  rest          TEXT NOT NULL,          -- JSON: what is shown but never asked for
  checksum      INTEGER NOT NULL,       -- of raw and summary
  -- All that `status` groups by in one number, so that counting reads one narrow index.
  class         INTEGER GENERATED ALWAYS AS
    (state | (kind << 1) | (source << 3) | (written_by << 6) | (reason << 8) | (punctual << 12)) VIRTUAL
) STRICT;
-- One capture of a commit in any state. A patch may have several: whether two commits with one patch are the
-- same work is a question of ancestry, which only git can answer.
CREATE UNIQUE INDEX captures_commit ON captures (repo_id, oid) WHERE oid IS NOT NULL;
CREATE INDEX captures_patch ON captures (repo_id, patch_id) WHERE patch_id IS NOT NULL AND state = 0;
-- For lists, newest first; kind and state are decided inside the index.
CREATE INDEX captures_time ON captures (at, row, kind, state);
CREATE INDEX captures_repo ON captures (repo_id, at, row, kind, state);
CREATE INDEX captures_project ON captures (project, at, row, kind, state);
CREATE INDEX captures_count ON captures (captured_at, class, repo_id);
CREATE INDEX captures_pending ON captures (captured_at) WHERE reason = 1;
CREATE INDEX captures_successor ON captures (superseded_by) WHERE superseded_by IS NOT NULL;

-- Exactly what was sent to a model. Apart, because it is large and seldom read.
CREATE TABLE wires (
  capture INTEGER PRIMARY KEY REFERENCES captures (row) ON DELETE CASCADE,
  wire    TEXT NOT NULL
) STRICT;

-- What was forgotten, without its content: it must not come back by itself.
CREATE TABLE forgotten (
  row      INTEGER PRIMARY KEY,
  id       TEXT NOT NULL,
  repo_id  TEXT,
  oid      TEXT,
  patch_id TEXT
) STRICT;
CREATE INDEX forgotten_id ON forgotten (id);
CREATE INDEX forgotten_commit ON forgotten (repo_id, oid) WHERE oid IS NOT NULL;
CREATE INDEX forgotten_patch ON forgotten (repo_id, patch_id) WHERE patch_id IS NOT NULL;

-- Only final captures are in the index of words: a template that a model's text replaces a second later
-- would cost more to take out again than to write. Pending ones are few and looked through as they are.
CREATE VIEW final AS
  SELECT row, raw, summary, subject, project, tags FROM captures WHERE reason <> 1;
CREATE VIRTUAL TABLE words USING fts5 (
  raw, summary, subject, project, tags,
  content = 'final', content_rowid = 'row',
  tokenize = "unicode61 remove_diacritics 2 tokenchars '_'"
);
-- A deleted word must not stay behind in the index.
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER captures_added AFTER INSERT ON captures WHEN new.reason <> 1 BEGIN
  INSERT INTO words (rowid, raw, summary, subject, project, tags)
  VALUES (new.row, new.raw, new.summary, new.subject, new.project, new.tags);
END;
CREATE TRIGGER captures_finished AFTER UPDATE OF reason ON captures WHEN old.reason = 1 AND new.reason <> 1 BEGIN
  INSERT INTO words (rowid, raw, summary, subject, project, tags)
  VALUES (new.row, new.raw, new.summary, new.subject, new.project, new.tags);
END;
CREATE TRIGGER captures_reworded AFTER UPDATE OF raw, summary, subject, project, tags ON captures
WHEN old.reason <> 1 AND new.reason <> 1 BEGIN
  INSERT INTO words (words, rowid, raw, summary, subject, project, tags)
  VALUES ('delete', old.row, old.raw, old.summary, old.subject, old.project, old.tags);
  INSERT INTO words (rowid, raw, summary, subject, project, tags)
  VALUES (new.row, new.raw, new.summary, new.subject, new.project, new.tags);
END;
CREATE TRIGGER captures_removed AFTER DELETE ON captures WHEN old.reason <> 1 BEGIN
  INSERT INTO words (words, rowid, raw, summary, subject, project, tags)
  VALUES ('delete', old.row, old.raw, old.summary, old.subject, old.project, old.tags);
END;

-- Everything an operation is grouped by. Few rows, so an operation needs only its number.
CREATE TABLE series (
  row      INTEGER PRIMARY KEY,
  op       TEXT NOT NULL,
  model    TEXT,
  endpoint TEXT,
  cold     INTEGER NOT NULL,
  reason   INTEGER NOT NULL,
  failed   INTEGER NOT NULL,
  punctual INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX series_once
  ON series (op, coalesce(model, ''), coalesce(endpoint, ''), cold, reason, failed, punctual);

-- The table is its own covering index: one pass in time order gives counts and percentiles.
CREATE TABLE operations (
  at          INTEGER NOT NULL,
  seq         INTEGER NOT NULL,         -- tells operations of one microsecond apart
  series      INTEGER NOT NULL REFERENCES series (row),
  duration_us INTEGER NOT NULL,
  ttft_us     INTEGER,
  tps_milli   INTEGER,                  -- thousandths of a token per second
  PRIMARY KEY (at, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE drafts (
  row           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE,
  kind          TEXT NOT NULL,
  project       TEXT NOT NULL,
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
  checksum      INTEGER NOT NULL,             -- of title and body
  UNIQUE (kind, project, period_from, period_to)
) STRICT;
CREATE INDEX drafts_due ON drafts (created_at, row) WHERE state IN ('queued', 'leased');

CREATE TABLE problems (
  what TEXT NOT NULL,
  hint TEXT NOT NULL,
  at   INTEGER NOT NULL,                      -- when it last happened
  PRIMARY KEY (what, hint)
) STRICT, WITHOUT ROWID;
CREATE INDEX problems_time ON problems (at);

PRAGMA user_version = 1;
