-- Up Migration

-- NOT VALID and then VALIDATE: the table is looked through without keeping anybody from it. Every row passes, because the
-- old condition asked for more.
ALTER TABLE users DROP CONSTRAINT users_live_or_deleted;
ALTER TABLE users ADD CONSTRAINT users_live_or_deleted CHECK (
  deleted_at IS NOT NULL OR (email IS NOT NULL AND username IS NOT NULL AND token_hash IS NOT NULL)
) NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT users_live_or_deleted;

COMMENT ON COLUMN users.password_hash IS 'bcrypt, with its cost in the text. Null: the user was invited and has not chosen a password.';

-- Down Migration

-- A text that is no hash: the user has no password, as before.
UPDATE users SET password_hash = '*' WHERE deleted_at IS NULL AND password_hash IS NULL;
ALTER TABLE users DROP CONSTRAINT users_live_or_deleted;
ALTER TABLE users ADD CONSTRAINT users_live_or_deleted CHECK (
  deleted_at IS NOT NULL
  OR (email IS NOT NULL AND username IS NOT NULL AND password_hash IS NOT NULL AND token_hash IS NOT NULL)
);

COMMENT ON COLUMN users.password_hash IS 'bcrypt, with its cost in the text.';
