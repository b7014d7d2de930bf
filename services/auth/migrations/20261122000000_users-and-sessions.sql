-- Up Migration

CREATE TABLE users (
  id             uuid PRIMARY KEY,
  email          text,
  username       text,
  password_hash  text,
  token_hash     bytea CHECK (octet_length(token_hash) = 32),
  epoch          bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  roles          text[] NOT NULL DEFAULT '{user}',
  email_verified boolean NOT NULL DEFAULT false,
  created_at     timestamptz NOT NULL,
  disabled_at    timestamptz,
  deleted_at     timestamptz,
  CONSTRAINT users_live_or_deleted CHECK (
    deleted_at IS NOT NULL
    OR (email IS NOT NULL AND username IS NOT NULL AND password_hash IS NOT NULL AND token_hash IS NOT NULL)
  )
);

CREATE UNIQUE INDEX users_email_key ON users (lower(email));

COMMENT ON TABLE users IS 'Accounts. A deleted one keeps id, epoch and deleted_at alone, so that its tokens stay refused.';
COMMENT ON COLUMN users.email IS 'As the user wrote it; unique and compared in lower case.';
COMMENT ON COLUMN users.username IS 'Display name: not unique, identifies nobody.';
COMMENT ON COLUMN users.password_hash IS 'bcrypt, with its cost in the text.';
COMMENT ON COLUMN users.token_hash IS '32 random bytes: key of the HMAC in every refresh token. A new value ends all of them.';
COMMENT ON COLUMN users.epoch IS 'Version of what an access token says; rises with every change after which older ones must not be believed, never falls.';
COMMENT ON COLUMN users.roles IS 'Rights of the user; user is always among them.';

CREATE TABLE sessions (
  id            uuid PRIMARY KEY,
  user_id       uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  generation    bigint NOT NULL DEFAULT 0 CHECK (generation >= 0),
  superseded_at timestamptz[] NOT NULL DEFAULT '{}' CHECK (cardinality(superseded_at) <= 8),
  created_at    timestamptz NOT NULL,
  last_used_at  timestamptz NOT NULL,
  idle_ends_at  timestamptz NOT NULL,
  ends_at       timestamptz NOT NULL,
  ended_at      timestamptz,
  end_reason    text,
  CONSTRAINT sessions_ended_for_a_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
  CONSTRAINT sessions_idle_within_life CHECK (idle_ends_at <= ends_at)
) WITH (fillfactor = 85);

CREATE INDEX sessions_live_of_user ON sessions (user_id) WHERE ended_at IS NULL;

COMMENT ON TABLE sessions IS 'One row a login. The claims of its refresh token are a function of this row and its user; no token is stored.';
COMMENT ON COLUMN sessions.generation IS 'Number of the refresh token that is current.';
COMMENT ON COLUMN sessions.superseded_at IS 'When the last eight generations were superseded, newest first.';
COMMENT ON COLUMN sessions.idle_ends_at IS 'End of the current refresh token (its exp).';
COMMENT ON COLUMN sessions.ends_at IS 'Absolute end, which no refresh moves.';
COMMENT ON COLUMN sessions.end_reason IS 'Why it ended before its time: password_changed, evicted.';

-- Down Migration

DROP TABLE sessions;
DROP TABLE users;
