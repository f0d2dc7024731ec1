-- How long each model takes, as it was learned: by endpoint, model, digest, options and power (JSON).
CREATE TABLE forecasts (
  key      TEXT NOT NULL PRIMARY KEY,
  at       INTEGER NOT NULL,            -- its last run
  forecast TEXT NOT NULL                -- JSON
) STRICT, WITHOUT ROWID;

-- Why a model was asked about a capture, or none (JSON). Apart, because it is large and seldom read.
CREATE TABLE decisions (
  capture  INTEGER PRIMARY KEY REFERENCES captures (row) ON DELETE CASCADE,
  decision TEXT NOT NULL
) STRICT;

-- What reading the prompt ahead of the commit did for it: a number of `codes.rs`.
ALTER TABLE series ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0;
DROP INDEX series_once;
CREATE UNIQUE INDEX series_once
  ON series (op, coalesce(model, ''), coalesce(endpoint, ''), cold, reason, failed, punctual, repaired, ahead);

-- When an unhurried model's text took the place of the template, and how often and when last that was tried in vain.
ALTER TABLE captures ADD COLUMN refined INTEGER;
ALTER TABLE captures ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE captures ADD COLUMN tried_at INTEGER;
-- Templates that stand for want of time: breaker_open, cold, predicted_miss, deadline, refused.
CREATE INDEX captures_standing ON captures (captured_at)
  WHERE state = 0 AND written_by = 1 AND reason IN (3, 4, 5, 6, 10) AND tries < 2;
CREATE INDEX captures_refined ON captures (captured_at, repo_id) WHERE refined IS NOT NULL AND state = 0;

PRAGMA user_version = 4;
