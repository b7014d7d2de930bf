-- Up Migration

CREATE TABLE audit_records (
  id            uuid PRIMARY KEY,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  event         text NOT NULL,
  outcome       text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
  actor_kind    text NOT NULL CHECK (actor_kind IN ('user', 'admin', 'operator', 'stranger', 'service')),
  actor_id      uuid,
  session_id    uuid,
  target_kind   text,
  target_id     text,
  request_id    uuid,
  detail        json NOT NULL,
  person_id     uuid,
  personal      json,
  personal_salt bytea,
  personal_hash bytea NOT NULL CHECK (octet_length(personal_hash) = 32),
  seq           bigint CHECK (seq > 0),
  hash          bytea CHECK (octet_length(hash) = 32),
  CONSTRAINT audit_records_sealed_or_not CHECK ((seq IS NULL) = (hash IS NULL))
);

-- Each only of sealed records: a new record is in three indexes, and the others get it once, with its number.
CREATE UNIQUE INDEX audit_records_seq ON audit_records (seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_records_unsealed ON audit_records (at, id) WHERE seq IS NULL;
CREATE INDEX audit_records_at ON audit_records (at) WHERE seq IS NOT NULL;
-- Each has the order of its pages, newest first. By -seq, because the planner would otherwise walk the index of seq for an
-- event that looks frequent, and read the whole log if it has not come for a year.
CREATE INDEX audit_records_actor ON audit_records (actor_id, (-seq)) WHERE seq IS NOT NULL AND actor_id IS NOT NULL;
CREATE INDEX audit_records_target ON audit_records (target_id, (-seq)) WHERE seq IS NOT NULL AND target_id IS NOT NULL;
CREATE INDEX audit_records_event ON audit_records (event, outcome, (-seq)) WHERE seq IS NOT NULL;
CREATE INDEX audit_records_outcome ON audit_records (outcome, (-seq)) WHERE seq IS NOT NULL;
CREATE INDEX audit_records_person ON audit_records (person_id, (-seq)) WHERE personal_salt IS NOT NULL AND person_id IS NOT NULL;

COMMENT ON TABLE audit_records IS 'The audit log: who did what, to whom, when, from where, and with which outcome. Written in the transaction of the change.';
COMMENT ON COLUMN audit_records.detail IS 'The fields that the list of events names. json, not jsonb: its text is hashed, and has to stay as it was written.';
COMMENT ON COLUMN audit_records.person_id IS 'Whom the personal data belong to. They are erased when this person is.';
COMMENT ON COLUMN audit_records.personal IS 'Address and device of the client; names and email addresses. Null: there are none, or they were erased.';
COMMENT ON COLUMN audit_records.personal_salt IS 'Makes the hash of a short text hard to guess. Null: erased.';
COMMENT ON COLUMN audit_records.personal_hash IS 'SHA-256 of the salt and the text of personal, or of the salt and null. It stays when they are erased, so the chain does too.';
COMMENT ON COLUMN audit_records.seq IS 'The number in the chain. Null: not sealed yet.';
COMMENT ON COLUMN audit_records.hash IS 'SHA-256 of 0x01, the hash of the record before, and audit_text() of this one.';

CREATE TABLE audit_head (
  seq  bigint NOT NULL,
  hash bytea NOT NULL,
  at   timestamptz,
  late interval NOT NULL DEFAULT '0'
);
INSERT INTO audit_head (seq, hash) VALUES (0, '\x0000000000000000000000000000000000000000000000000000000000000000');

COMMENT ON TABLE audit_head IS 'One row: the end of the chain. Whoever numbers records locks it.';
COMMENT ON COLUMN audit_head.at IS 'The latest time of a numbered record.';
COMMENT ON COLUMN audit_head.late IS 'How far the time of a record ever lay before that of one with a lower number: so much more is looked through for a range of times.';

CREATE TABLE audit_heads (
  seq  bigint PRIMARY KEY,
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  jws  text
);
CREATE INDEX audit_heads_unsigned ON audit_heads (seq) WHERE jws IS NULL;

COMMENT ON TABLE audit_heads IS 'Ends that the chain had: each was logged too, so that it is kept elsewhere.';
COMMENT ON COLUMN audit_heads.jws IS 'The head, signed with the access key that was in force. Null: no key has signed it yet.';

CREATE TABLE audit_keys (
  kid text PRIMARY KEY,
  jwk jsonb NOT NULL
);

COMMENT ON TABLE audit_keys IS 'The public keys of the signatures of heads, for ever.';

CREATE TABLE audit_settings (
  retention interval NOT NULL CHECK (retention >= '0')
);
INSERT INTO audit_settings VALUES ('400 days');

COMMENT ON TABLE audit_settings IS 'One row, which only the owner changes: npm run migrate writes AUDIT_RETENTION here. 0: records are kept for ever.';

-- The text of a record that its hash is made from: a JSON array of texts. Not of the personal data, only of their hash.
CREATE FUNCTION audit_text(r audit_records, number bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT json_build_array(r.id::text, to_char(r.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), r.event, r.outcome,
    r.actor_kind, r.actor_id::text, r.session_id::text, r.target_kind, r.target_id, r.request_id::text, r.detail::text,
    r.person_id::text, encode(r.personal_hash, 'hex'), number::text)::text
$$;

-- Numbers and chains at most `most` committed records, in the order of their times. Returns how many. The statement after
-- the lock sees all that was committed before; the one who finds the lock taken leaves the work to the other. It always
-- reads by the index: the planner cannot know how many wait, and might read and sort all of them for each call.
CREATE FUNCTION audit_seal(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  head audit_head;
  one audit_records;
  ids uuid[] := '{}';
  hashes bytea[] := '{}';
  first bigint;
BEGIN
  SELECT * INTO head FROM audit_head FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  first := head.seq + 1;
  FOR one IN
    SELECT * FROM audit_records WHERE seq IS NULL ORDER BY at, id LIMIT least(greatest(most, 1), 10000) FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    head.seq := head.seq + 1;
    head.late := greatest(head.late, make_interval(secs => extract(epoch FROM head.at - one.at)));
    head.at := greatest(head.at, one.at);
    head.hash := sha256('\x01'::bytea || head.hash || convert_to(audit_text(one, head.seq), 'UTF8'));
    ids := ids || one.id;
    hashes := hashes || head.hash;
  END LOOP;
  IF head.seq < first THEN
    RETURN 0;
  END IF;
  UPDATE audit_records r SET seq = first + s.place - 1, hash = s.hash
    FROM unnest(ids, hashes) WITH ORDINALITY AS s (id, hash, place) WHERE r.id = s.id;
  UPDATE audit_head SET seq = head.seq, hash = head.hash, at = head.at, late = head.late;
  RETURN head.seq - first + 1;
END
$$;

COMMENT ON FUNCTION audit_seal(integer) IS 'Numbers and chains records of the audit log.';

-- Removes records that are older than the retention, up to a stored head that fits its record: about `most` at once, and
-- nothing at or after a record that is young by its own time. The head stays as the beginning of the chain, and a record
-- tells of it. Returns that head and the number of removed records, or nothing.
CREATE FUNCTION audit_prune(most integer) RETURNS TABLE (seq bigint, hash bytea, records bigint)
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
DECLARE
  keep interval := (SELECT s.retention FROM audit_settings s);
  last bigint := (SELECT h.seq FROM audit_head h FOR UPDATE);
  first bigint := (SELECT min(r.seq) FROM audit_records r WHERE r.seq IS NOT NULL);
  young bigint;
  cut audit_heads;
  removed bigint;
  salt bytea := uuid_send(gen_random_uuid());
BEGIN
  -- Also without a row.
  IF keep > '0' IS NOT TRUE THEN
    RETURN;
  END IF;
  most := greatest(most, 1);
  -- Looks only at as many records as it may remove. More, if they have no head: then a larger step finds one.
  WHILE cut IS NULL AND young IS NULL AND first <= last LOOP
    young := (SELECT min(r.seq) FROM audit_records r
      WHERE r.seq BETWEEN first AND first + most AND r.at > clock_timestamp() - keep);
    SELECT h.* INTO cut FROM audit_heads h JOIN audit_records r ON r.seq = h.seq AND r.hash = h.hash
      WHERE h.seq >= first AND h.seq < coalesce(young, first + most) ORDER BY h.seq DESC LIMIT 1;
    EXIT WHEN first + most > last;
    most := least(most * 4::bigint, 1000000000);
  END LOOP;
  IF cut IS NULL THEN
    RETURN;
  END IF;
  DELETE FROM audit_records r WHERE r.seq <= cut.seq;
  GET DIAGNOSTICS removed = ROW_COUNT;
  DELETE FROM audit_heads h WHERE h.seq < cut.seq;
  INSERT INTO audit_records (id, event, outcome, actor_kind, detail, personal_salt, personal_hash)
    VALUES (gen_random_uuid(), 'audit_pruned', 'done', 'service',
      json_build_object('seq', cut.seq, 'hash', encode(cut.hash, 'hex'), 'records', removed),
      salt, sha256(salt || convert_to('null', 'UTF8')));
  RETURN QUERY SELECT cut.seq, cut.hash, removed;
END
$$;

COMMENT ON FUNCTION audit_prune(integer) IS 'Removes old records of the audit log, up to a stored head.';

-- Erasure may take personal data away, and nothing may put others in their place.
CREATE FUNCTION audit_erase_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.personal IS NOT NULL OR NEW.personal_salt IS NOT NULL THEN
    RAISE EXCEPTION 'personal data of the audit log can only be erased' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER audit_records_erase_only BEFORE UPDATE OF personal, personal_salt ON audit_records
  FOR EACH ROW EXECUTE FUNCTION audit_erase_only();

-- A caller could otherwise put tables or functions of their own in the place of these.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['audit_seal(integer)', 'audit_prune(integer)'] LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
  END LOOP;
END
$$;

-- Down Migration

DROP FUNCTION audit_prune(integer);
DROP FUNCTION audit_seal(integer);
DROP FUNCTION audit_text(audit_records, bigint);
DROP TABLE audit_records, audit_head, audit_heads, audit_keys, audit_settings;
DROP FUNCTION audit_erase_only();
