-- Up Migration

-- lower() follows the locale of the database: in a Turkish one info@ and INFO@ could become two accounts. Nobody but the
-- operator can say whose the address is, so nothing is changed while there are such pairs.
DO $$
DECLARE
  doubled text;
BEGIN
  SELECT string_agg(ids, '; ') INTO doubled FROM (
    SELECT string_agg(id::text, ' and ' ORDER BY created_at) AS ids
      FROM users GROUP BY lower(email COLLATE "C") HAVING count(email) > 1 LIMIT 20
  ) AS pairs;
  IF doubled IS NOT NULL THEN
    RAISE EXCEPTION 'these accounts have one address but for the letter case, which the locale of this database took for two: %. In the table users, give all but one of each another email, or delete their rows; then migrate again', doubled;
  END IF;
END $$;

DROP INDEX users_email_key;
CREATE UNIQUE INDEX users_email_key ON users (lower(email COLLATE "C"));

COMMENT ON COLUMN users.email IS 'As the user wrote it; unique and compared in lower case, which collation C makes alike in every locale.';

-- Down Migration

DROP INDEX users_email_key;
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

COMMENT ON COLUMN users.email IS 'As the user wrote it; unique and compared in lower case.';
