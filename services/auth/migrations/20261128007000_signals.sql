-- Up Migration

CREATE TABLE signal_streams (
  id            uuid PRIMARY KEY,
  method        text NOT NULL CHECK (method IN ('push', 'poll')),
  audience      text NOT NULL,
  endpoint      text,
  authorization_value text,
  bearer_hash   bytea CHECK (octet_length(bearer_hash) = 32),
  created_at    timestamptz NOT NULL DEFAULT now(),
  seq           bigint NOT NULL CHECK (seq >= 0),
  mark          bytea,
  read_at       timestamptz NOT NULL,
  part          integer NOT NULL DEFAULT 0 CHECK (part >= 0),
  sent_at       timestamptz,
  lost          bigint NOT NULL DEFAULT 0,
  holder        uuid,
  held_until    timestamptz,
  due_at        timestamptz NOT NULL DEFAULT now(),
  failures      integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
  last_error    text,
  CONSTRAINT signal_streams_push_or_poll CHECK ((method = 'push') = (endpoint IS NOT NULL) AND (method = 'poll') = (bearer_hash IS NOT NULL)),
  CONSTRAINT signal_streams_held_by_somebody CHECK ((holder IS NULL) = (held_until IS NULL))
);

COMMENT ON TABLE signal_streams IS 'The receivers of Shared Signals: each reads the audit log on its own.';
COMMENT ON COLUMN signal_streams.audience IS 'The aud of its SETs.';
COMMENT ON COLUMN signal_streams.authorization_value IS 'What the header Authorization says to the receiver of a push. A secret.';
COMMENT ON COLUMN signal_streams.bearer_hash IS 'SHA-256 of the token that polls.';
COMMENT ON COLUMN signal_streams.seq IS 'The last record that was dealt with: sent, or, to a receiver that polls, given.';
COMMENT ON COLUMN signal_streams.mark IS 'The hash of that record: another one there means another log. Null: not known.';
COMMENT ON COLUMN signal_streams.read_at IS 'The time of that record.';
COMMENT ON COLUMN signal_streams.part IS 'How many SETs of the next record were dealt with.';
COMMENT ON COLUMN signal_streams.lost IS 'Records that were removed before the stream had read them, and SETs that were given up.';
COMMENT ON COLUMN signal_streams.holder IS 'The one that sends now, until held_until at the latest.';
COMMENT ON COLUMN signal_streams.failures IS 'How often the next SET was sent in vain.';

CREATE TABLE signals_given (
  stream_id uuid NOT NULL REFERENCES signal_streams (id) ON DELETE CASCADE,
  jti       text NOT NULL,
  seq       bigint NOT NULL,
  part      integer NOT NULL,
  record_id uuid NOT NULL,
  at        timestamptz NOT NULL,
  PRIMARY KEY (stream_id, jti)
);

COMMENT ON TABLE signals_given IS 'SETs that a receiver that polls has got, or is getting, and has not acknowledged.';
COMMENT ON COLUMN signals_given.part IS 'Which SET of the record it is, from 0.';
COMMENT ON COLUMN signals_given.at IS 'The time of the record.';

-- Down Migration

DROP TABLE signals_given, signal_streams;
