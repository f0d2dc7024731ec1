-- Operations whose text was repaired: sentences that were not grounded were left out.
ALTER TABLE series ADD COLUMN repaired INTEGER NOT NULL DEFAULT 0;
DROP INDEX series_once;
CREATE UNIQUE INDEX series_once
  ON series (op, coalesce(model, ''), coalesce(endpoint, ''), cold, reason, failed, punctual, repaired);

-- How many tokens a server counted for how many bytes of prompts; older counts fade.
CREATE TABLE token_counts (
  endpoint TEXT NOT NULL,
  model    TEXT NOT NULL,
  bytes    REAL NOT NULL,
  tokens   REAL NOT NULL,
  PRIMARY KEY (endpoint, model)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 3;
