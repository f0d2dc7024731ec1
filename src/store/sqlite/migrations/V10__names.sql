-- Tables under the names of what they hold: `wires` held prompts, `marks` key-value pairs.
ALTER TABLE wires RENAME TO prompts;
DROP INDEX wires_time;
CREATE INDEX prompts_time ON prompts (at);
ALTER TABLE marks RENAME TO kv;

PRAGMA user_version = 10;
