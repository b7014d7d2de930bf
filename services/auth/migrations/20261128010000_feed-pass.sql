-- Up Migration

-- As before, but rows are found again by their place in the table. By id, a plan that was made for a table of one row read
-- all rows, and compared each with each that waits. In the statement nobody else changes a row that has no number.
CREATE OR REPLACE FUNCTION number_revocations(most integer) RETURNS TABLE (seq bigint, numbered bigint, has_key boolean)
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

-- Down Migration

CREATE OR REPLACE FUNCTION number_revocations(most integer) RETURNS TABLE (seq bigint, numbered bigint, has_key boolean)
LANGUAGE plpgsql SET lock_timeout = '500ms' SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  head bigint;
  done bigint;
  keys boolean;
BEGIN
  SELECT h.seq INTO STRICT head FROM feed_head h FOR UPDATE;
  WITH waiting AS MATERIALIZED (
    SELECT r.id FROM revocations r WHERE r.seq IS NULL ORDER BY r.id LIMIT least(greatest(most, 1), 10000)
  ), placed AS (
    SELECT w.id, row_number() OVER (ORDER BY w.id) AS place FROM waiting w
  ), sealed AS (
    UPDATE revocations r SET seq = head + p.place, sealed_at = now() FROM placed p WHERE r.id = p.id
    RETURNING r.kind
  )
  SELECT count(*), coalesce(bool_or(s.kind = 'key'), false) INTO done, keys FROM sealed s;
  UPDATE feed_head SET seq = head + done;
  RETURN QUERY SELECT head + done, done, keys;
END
$$;
