-- Up Migration

CREATE TABLE signing_keys (
  kid           text PRIMARY KEY,
  kind          text NOT NULL CHECK (kind IN ('access', 'refresh')),
  first_seen_at timestamptz NOT NULL,
  signs_from    timestamptz,
  revoked_at    timestamptz
);

COMMENT ON TABLE signing_keys IS 'One clock for the keys of all instances: times, never keys, so that nobody who writes here can publish one.';
COMMENT ON COLUMN signing_keys.kid IS 'RFC 7638 thumbprint of the key.';
COMMENT ON COLUMN signing_keys.first_seen_at IS 'When the first instance found it in its folder, and so published it.';
COMMENT ON COLUMN signing_keys.signs_from IS 'When it last began to sign, by whichever instance was first; null: it never has.';
COMMENT ON COLUMN signing_keys.revoked_at IS 'Never taken back, whatever file comes back.';

-- Down Migration

DROP TABLE signing_keys;
