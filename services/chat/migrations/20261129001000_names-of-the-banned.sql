-- Up Migration

ALTER TABLE bans ADD COLUMN username text;
COMMENT ON COLUMN bans.username IS 'The name that they had in the room, for the list of bans; null if they never showed one.';
UPDATE bans SET username = (
  SELECT data ->> 'username' FROM events
  WHERE room_id = bans.room_id AND kind = 'banned' AND target_id = bans.user_id ORDER BY seq DESC LIMIT 1
);

-- Down Migration

ALTER TABLE bans DROP COLUMN username;
