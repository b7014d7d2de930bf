-- Up Migration

ALTER TABLE sessions
  ADD COLUMN user_agent text,
  ADD COLUMN ip         text,
  ADD COLUMN sweep_on   date;

UPDATE sessions SET sweep_on = idle_ends_at::date + 2;

ALTER TABLE sessions ALTER COLUMN sweep_on SET NOT NULL;

CREATE INDEX sessions_sweep_on ON sessions (sweep_on);

-- Of all sessions: those of a deleted user are over when their personal data goes.
DROP INDEX sessions_live_of_user;
CREATE INDEX sessions_of_user ON sessions (user_id);

CREATE INDEX users_admins ON users (id) WHERE 'admin' = ANY (roles);

COMMENT ON COLUMN users.roles IS 'Rights of the user; user is always among them, until the account is deleted.';
COMMENT ON COLUMN sessions.user_agent IS 'User-Agent of the last login or rotation, at most 256 characters.';
COMMENT ON COLUMN sessions.ip IS 'Client address of the last login or rotation.';
COMMENT ON COLUMN sessions.sweep_on IS 'Earliest day to delete the row. A day, so that a refresh mostly leaves the index alone.';
COMMENT ON COLUMN sessions.end_reason IS 'Why it ended before its time: logout, revoked, reuse, evicted, password_changed, logout_everywhere, disabled, deleted, ended_by_admin.';

-- Down Migration

DROP INDEX users_admins;
DROP INDEX sessions_of_user;
CREATE INDEX sessions_live_of_user ON sessions (user_id) WHERE ended_at IS NULL;
DROP INDEX sessions_sweep_on;
ALTER TABLE sessions DROP COLUMN user_agent, DROP COLUMN ip, DROP COLUMN sweep_on;
