-- Which commits the events that are not dealt with yet say were rewritten. It follows `events`.
CREATE TABLE rewritten (
  old   TEXT NOT NULL,                  -- a commit
  event INTEGER NOT NULL REFERENCES events (row) ON DELETE CASCADE,
  PRIMARY KEY (old, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX rewritten_event ON rewritten (event);
INSERT OR IGNORE INTO rewritten (old, event)
  SELECT pair.value ->> 0, told.row
  FROM (SELECT row, rewrites FROM events WHERE closed = 0) AS told,
    json_each(CASE WHEN json_valid(told.rewrites) THEN told.rewrites ELSE '[]' END) AS pair
  WHERE pair.type = 'array' AND typeof(pair.value ->> 0) = 'text';
CREATE TRIGGER events_rewriting AFTER INSERT ON events WHEN new.closed = 0 AND new.rewrites <> '[]' BEGIN
  INSERT OR IGNORE INTO rewritten (old, event)
  SELECT value ->> 0, new.row FROM json_each(CASE WHEN json_valid(new.rewrites) THEN new.rewrites ELSE '[]' END)
  WHERE type = 'array' AND typeof(value ->> 0) = 'text';
END;
CREATE TRIGGER events_settled AFTER UPDATE OF closed ON events WHEN new.closed <> 0 BEGIN
  DELETE FROM rewritten WHERE event = old.row;
END;
CREATE INDEX events_commit ON events (oid) WHERE closed = 0;

-- Captures that a model or a person worded (a template's number is 1): what is known of each model's texts.
CREATE INDEX captures_worded ON captures (captured_at) WHERE state = 0 AND written_by <> 1;
CREATE INDEX drafts_worded ON drafts (finished_at) WHERE model IS NOT NULL;
CREATE INDEX drafts_state ON drafts (state, period_to);
CREATE INDEX problems_hint ON problems (hint, at);

PRAGMA user_version = 9;
