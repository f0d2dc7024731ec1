-- Which captures name which notes, to be found from the note. It follows `rest`, where the names are kept.
CREATE TABLE noted (
  note    TEXT NOT NULL,                -- a capture's id
  capture INTEGER NOT NULL REFERENCES captures (row) ON DELETE CASCADE,
  PRIMARY KEY (note, capture)
) STRICT, WITHOUT ROWID;
CREATE INDEX noted_capture ON noted (capture);

-- A damaged `rest` names nothing.
INSERT OR IGNORE INTO noted (note, capture)
  SELECT named.value, found.row
  FROM (SELECT row, rest FROM captures WHERE instr(rest, '"notes"') > 0) AS found,
    json_each(CASE WHEN json_valid(found.rest) THEN found.rest ELSE '{}' END, '$.notes') AS named
  WHERE named.type = 'text';
CREATE TRIGGER captures_noted AFTER INSERT ON captures WHEN instr(new.rest, '"notes"') > 0 BEGIN
  INSERT OR IGNORE INTO noted (note, capture)
  SELECT value, new.row FROM json_each(CASE WHEN json_valid(new.rest) THEN new.rest ELSE '{}' END, '$.notes')
  WHERE type = 'text';
END;
CREATE TRIGGER captures_renoted AFTER UPDATE OF rest ON captures
WHEN instr(old.rest, '"notes"') > 0 OR instr(new.rest, '"notes"') > 0 BEGIN
  DELETE FROM noted WHERE capture = old.row;
  INSERT OR IGNORE INTO noted (note, capture)
  SELECT value, new.row FROM json_each(CASE WHEN json_valid(new.rest) THEN new.rest ELSE '{}' END, '$.notes')
  WHERE type = 'text';
END;

PRAGMA user_version = 5;
