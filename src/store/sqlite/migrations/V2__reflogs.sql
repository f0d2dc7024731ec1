-- What reports a repository's commits: 'config', 'file' (git hooks of ours) or 'watch' (nothing but its reflogs).
ALTER TABLE repositories ADD COLUMN means TEXT NOT NULL DEFAULT 'file';
-- Device and inode of the common git directory: it is found again after a move.
ALTER TABLE repositories ADD COLUMN inode TEXT;

-- Events of a rebase and its like wait until that is over.
CREATE INDEX events_sequence ON events (git_dir, stamp) WHERE closed = 0 AND in_sequence = 1;

-- How far each reflog has been read; moves in the same transaction as the events that were read from it.
CREATE TABLE reflogs (
  repo_id  TEXT NOT NULL,
  log      TEXT NOT NULL,               -- relative to the common git directory
  identity TEXT NOT NULL,               -- of the file: a log that was replaced is read anew
  offset   INTEGER NOT NULL,
  PRIMARY KEY (repo_id, log)
) STRICT, WITHOUT ROWID;

-- `git merge --squash` was called on top of `parent`: the next commit there carries these commits.
CREATE TABLE squashes (
  repo_id TEXT NOT NULL,
  parent  TEXT NOT NULL,
  oids    TEXT NOT NULL,                -- JSON
  at      INTEGER NOT NULL,
  PRIMARY KEY (repo_id, parent)
) STRICT, WITHOUT ROWID;

-- Settings that the program keeps for itself.
CREATE TABLE marks (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 2;
