-- The change that a commit is a version of: jj's and GitButler's `change-id` header, Gerrit's `Change-Id:` trailer.
ALTER TABLE captures ADD COLUMN change_id TEXT;
CREATE INDEX captures_change ON captures (repo_id, change_id) WHERE change_id IS NOT NULL AND state = 0;

PRAGMA user_version = 7;
