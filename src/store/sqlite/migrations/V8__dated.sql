-- When it was sent or decided: prompts and decisions are kept for a while (`[retention]`), captures for ever.
ALTER TABLE wires ADD COLUMN at INTEGER;
UPDATE wires SET at = (SELECT coalesce(refined, captured_at) FROM captures WHERE row = wires.capture);
CREATE INDEX wires_time ON wires (at);

ALTER TABLE decisions ADD COLUMN at INTEGER;
UPDATE decisions SET at = (SELECT captured_at FROM captures WHERE row = decisions.capture);
CREATE INDEX decisions_time ON decisions (at);

CREATE INDEX squashes_time ON squashes (at);

PRAGMA user_version = 8;
