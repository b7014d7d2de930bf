-- Up Migration

ALTER TABLE sessions
  ADD COLUMN user_agent text,
  ADD COLUMN ip         text,
  ADD COLUMN sweep_on   date;

UPDATE sessions SET sweep_on = idle_ends_at::date + 2;

ALTER TABLE sessions ALTER COLUMN sweep_on SET NOT NULL;

CREATE INDEX sessions_sweep_on ON sessions (sweep_on);

COMMENT ON COLUMN sessions.user_agent IS 'User-Agent of the last login or rotation, at most 256 characters.';
COMMENT ON COLUMN sessions.ip IS 'Client address of the last login or rotation.';
COMMENT ON COLUMN sessions.sweep_on IS 'Earliest day to delete the row. A day, so that a refresh mostly leaves the index alone.';
COMMENT ON COLUMN sessions.end_reason IS 'Why it ended before its time: password_changed, evicted, reuse, logout, revoked.';

-- Down Migration

DROP INDEX sessions_sweep_on;
ALTER TABLE sessions DROP COLUMN user_agent, DROP COLUMN ip, DROP COLUMN sweep_on;
