-- Up Migration

CREATE TABLE rooms (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name       text NOT NULL,
  visibility text NOT NULL CHECK (visibility IN ('public', 'private')),
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  closed_at  timestamptz
);
CREATE INDEX rooms_by_maker ON rooms (created_by) WHERE closed_at IS NULL;
CREATE INDEX rooms_public ON rooms (name, id) WHERE visibility = 'public' AND closed_at IS NULL;

-- Narrow, and with no other index: each new number is written into the same page (a HOT update).
CREATE TABLE heads (
  room_id  uuid PRIMARY KEY REFERENCES rooms (id),
  last_seq bigint NOT NULL DEFAULT 0,
  closed   boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);

CREATE TABLE members (
  room_id   uuid NOT NULL REFERENCES rooms (id),
  user_id   uuid NOT NULL,
  username  text NOT NULL,
  role      text NOT NULL CHECK (role IN ('owner', 'moderator', 'member')),
  since_seq bigint NOT NULL,
  PRIMARY KEY (room_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id, room_id);

CREATE TABLE bans (
  room_id    uuid NOT NULL REFERENCES rooms (id),
  user_id    uuid NOT NULL,
  by_id      uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (room_id, user_id)
);

CREATE TABLE invites (
  code_hash  bytea PRIMARY KEY,
  room_id    uuid NOT NULL REFERENCES rooms (id),
  created_by uuid NOT NULL,
  by_admin   boolean NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX invites_by_end ON invites (expires_at);

CREATE TABLE tickets (
  hash       bytea PRIMARY KEY,
  claims     jsonb NOT NULL,
  kid        text NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX tickets_by_end ON tickets (expires_at);

-- No REFERENCES: it would lock the row of the room at each message, and rooms are never deleted.
CREATE TABLE events (
  room_id    uuid NOT NULL,
  seq        bigint NOT NULL,
  kind       text NOT NULL,
  actor_id   uuid NOT NULL,
  actor_name text NOT NULL,
  client_id  uuid,
  text       text,
  target_seq bigint,
  target_id  uuid,
  data       jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  deleted_by uuid,
  PRIMARY KEY (room_id, seq)
);
-- A message that is sent again under its client_id is found, and not written twice.
CREATE UNIQUE INDEX events_by_client_id ON events (room_id, actor_id, client_id) WHERE client_id IS NOT NULL;
-- History reads messages alone, from the end.
CREATE INDEX events_messages ON events (room_id, seq) WHERE kind = 'message';

CREATE TABLE stream (id uuid NOT NULL);
INSERT INTO stream VALUES (gen_random_uuid());

COMMENT ON TABLE rooms IS 'What a room is. What happened in it is in events.';
COMMENT ON COLUMN rooms.visibility IS 'public: anybody sees it and may join. private: only with an invitation.';
COMMENT ON TABLE heads IS 'One row a room: whoever adds an event raises last_seq, and so waits for others. Commit order is number order.';
COMMENT ON COLUMN rooms.closed_at IS 'A closed room is read and not written. heads.closed says the same to whoever sends.';
COMMENT ON TABLE members IS 'Who may read and write in a room.';
COMMENT ON COLUMN members.username IS 'The name in the token when they joined.';
COMMENT ON COLUMN members.since_seq IS 'The number of the event by which they joined. Earlier removals are not theirs.';
COMMENT ON TABLE bans IS 'Who may not join a room.';
COMMENT ON TABLE invites IS 'Codes by which others join a private room, many times until they end. Only the SHA-256 of a code is here.';
COMMENT ON COLUMN invites.by_admin IS 'An administrator made it. Otherwise it is good only while its maker may invite.';
COMMENT ON TABLE tickets IS 'One-time tickets that open a socket. Only the SHA-256 of a ticket is here.';
COMMENT ON COLUMN tickets.claims IS 'The claims of the access token that asked for it: the socket has its rights and its end.';
COMMENT ON COLUMN tickets.kid IS 'The key that signed that token.';
COMMENT ON TABLE events IS 'The log of each room. (room_id, seq) names an event; numbers of a room have no gaps.';
COMMENT ON COLUMN events.kind IS 'message, deleted, created, joined, left, kicked, banned, unbanned, role, renamed or closed.';
COMMENT ON COLUMN events.client_id IS 'Of messages: the sender chose it. The same one again is the same message.';
COMMENT ON COLUMN events.text IS 'Of messages. Null once it is deleted.';
COMMENT ON COLUMN events.target_seq IS 'Of deleted: the message.';
COMMENT ON COLUMN events.target_id IS 'Of kicked, banned, unbanned and role: the user.';
COMMENT ON COLUMN events.data IS 'Further members of the event, as the protocol has them.';
COMMENT ON TABLE stream IS 'One row: the identity of this log. After a restore from a backup write a new one, so that clients begin anew.';

-- Down Migration

DROP TABLE stream;
DROP TABLE events;
DROP TABLE tickets;
DROP TABLE invites;
DROP TABLE bans;
DROP TABLE members;
DROP TABLE heads;
DROP TABLE rooms;
