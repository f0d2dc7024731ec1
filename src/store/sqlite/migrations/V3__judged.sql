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

-- What of a model's text was not kept, and why (JSON); absent where all of it was.
ALTER TABLE wires ADD COLUMN faults TEXT;

PRAGMA user_version = 3;
