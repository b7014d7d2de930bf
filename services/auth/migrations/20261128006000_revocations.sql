-- Up Migration

CREATE TABLE revocations (
  id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind      text NOT NULL CHECK (kind IN ('subject', 'session', 'key', 'all')),
  key       text,
  number    bigint,
  sealed_at timestamptz,
  seq       bigint,
  CONSTRAINT revocations_sealed_or_not CHECK ((seq IS NULL) = (sealed_at IS NULL)),
  CONSTRAINT revocations_with_a_key CHECK ((key IS NULL) = (kind = 'all')),
  CONSTRAINT revocations_with_a_number CHECK ((number IS NULL) = (kind IN ('session', 'key')))
)
-- Many rows come and go: by count, because a share of a table that has grown once would be too late.
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
      autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000,
      autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000);

CREATE UNIQUE INDEX revocations_seq ON revocations (seq);
CREATE INDEX revocations_unsealed ON revocations (id) WHERE seq IS NULL;
CREATE INDEX revocations_sealed_at ON revocations (sealed_at);

-- The table is never empty, so there is always a place in the feed.
INSERT INTO revocations (kind, number, sealed_at, seq) VALUES ('all', 0, now(), 1);

INSERT INTO revocations (kind, key) SELECT 'key', kid FROM signing_keys WHERE revoked_at IS NOT NULL;

COMMENT ON TABLE revocations IS 'The source of the revocation feed: which tokens are good no more. A row is written with the change, and gets its number when the change is committed.';
COMMENT ON COLUMN revocations.kind IS 'subject: a user, with an epoch. session. key: a signing key. all: everybody, with a time.';
COMMENT ON COLUMN revocations.key IS 'Of users and sessions the first 16 bytes of the SHA-256 of the id, as base64url; of keys the kid.';
COMMENT ON COLUMN revocations.number IS 'subject: tokens with a lower epoch are refused. all: tokens that were issued before, in seconds since 1970.';
COMMENT ON COLUMN revocations.sealed_at IS 'When it got its number. It is deleted when the last token that it refuses has expired; keys stay.';
COMMENT ON COLUMN revocations.seq IS 'Its number in the feed. Null: none yet.';

CREATE TABLE feed_head (
  seq               bigint NOT NULL,
  access_life       integer NOT NULL CHECK (access_life > 0),
  access_life_until timestamptz NOT NULL
);
INSERT INTO feed_head VALUES (1, 900, now() + interval '1 hour');

COMMENT ON TABLE feed_head IS 'One row: the highest number of the feed. Whoever numbers rows locks it.';
COMMENT ON COLUMN feed_head.access_life IS 'The longest life of an access token that may be valid now, in seconds.';
COMMENT ON COLUMN feed_head.access_life_until IS 'Until then access_life counts, also if all instances have a shorter one.';

-- Numbers at most `most` committed rows; returns the highest number, how many it numbered, and whether a key is among
-- them. The update is a statement of its own: its snapshot is younger than the lock, so it sees all that was committed
-- before. One statement that locks and numbers would miss some. The call is one transaction, so a client that stands
-- still between two statements holds no lock.
-- Always by index, and rows are found again by their place: the table grows by thousands between two statistics, and a
-- plan that was good for one row compares each waiting row with all others. In the statement nobody else changes a row
-- that has no number.
CREATE FUNCTION number_revocations(most integer) RETURNS TABLE (seq bigint, numbered bigint, has_key boolean)
LANGUAGE plpgsql SET lock_timeout = '500ms' SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  head bigint;
  done bigint;
  keys boolean;
BEGIN
  SELECT h.seq INTO STRICT head FROM feed_head h FOR UPDATE;
  WITH waiting AS MATERIALIZED (
    SELECT r.ctid AS place, r.id FROM revocations r WHERE r.seq IS NULL ORDER BY r.id LIMIT least(greatest(most, 1), 10000)
  ), numbers AS MATERIALIZED (
    SELECT w.place, row_number() OVER (ORDER BY w.id) AS number FROM waiting w
  ), sealed AS (
    UPDATE revocations r SET seq = head + n.number, sealed_at = now() FROM numbers n WHERE r.ctid = n.place
    RETURNING r.kind
  )
  SELECT count(*), coalesce(bool_or(s.kind = 'key'), false) INTO done, keys FROM sealed s;
  -- Also when there was nothing: only a transaction that writes waits for a synchronous standby, and fails on a replica.
  UPDATE feed_head SET seq = head + done;
  RETURN QUERY SELECT head + done, done, keys;
END
$$;

COMMENT ON FUNCTION number_revocations(integer) IS 'Numbers what is new in the revocation feed.';

-- Down Migration

DROP FUNCTION number_revocations(integer);
DROP TABLE feed_head;
DROP TABLE revocations;
