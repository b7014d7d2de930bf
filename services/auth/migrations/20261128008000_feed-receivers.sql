-- Up Migration

CREATE TABLE feed_receivers (
  ip               text NOT NULL,
  user_agent       text NOT NULL,
  seq              bigint NOT NULL,
  mark             text NOT NULL,
  is_authenticated boolean NOT NULL,
  asked_at         timestamptz NOT NULL,
  PRIMARY KEY (ip, user_agent)
)
-- Rewritten each second: pages keep room for the next version of a row.
WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

COMMENT ON TABLE feed_receivers IS 'Who reads the revocation feed: at most 1,000, the last that asked. For operators; no answer depends on it.';
COMMENT ON COLUMN feed_receivers.user_agent IS 'As sent, at most 256 characters; a verifier says its audience and eight digits of its process.';
COMMENT ON COLUMN feed_receivers.seq IS 'The number after which it asked last: it knows this one and all before.';
COMMENT ON COLUMN feed_receivers.mark IS 'The mark of that place: of another one, or of a row that a restore took away, it knows nothing here.';
COMMENT ON COLUMN feed_receivers.is_authenticated IS 'Whether it has shown the token of the feed.';

-- Down Migration

DROP TABLE feed_receivers;
