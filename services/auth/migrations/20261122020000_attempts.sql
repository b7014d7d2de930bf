-- Up Migration

CREATE TABLE attempts (
  bucket     bytea PRIMARY KEY CHECK (octet_length(bucket) = 32),
  failures   integer NOT NULL CHECK (failures > 0),
  next_at    timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  sweep_on   date NOT NULL
);

CREATE INDEX attempts_sweep_on ON attempts (sweep_on);

COMMENT ON TABLE attempts IS 'Wrong passwords in a row, whether or not an account has the address. No foreign key: unknown addresses are counted too.';
COMMENT ON COLUMN attempts.bucket IS 'SHA-256 of an address, or of a user and a device of his.';
COMMENT ON COLUMN attempts.next_at IS 'Until then the next try is refused without a look at the password; long ago while tries are free.';

-- Down Migration

DROP TABLE attempts;
