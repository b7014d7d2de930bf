import { randomUUID } from 'node:crypto'
import { runStatement } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { verifyLog } from '../src/verify.ts'
import { erasePerson } from '../src/write.ts'
import { type Log, openLog } from './log.ts'

// What a service that was taken over cannot do to the log, as long as it is not its owner.

async function verified(log: Log): Promise<string[]> {
  const faults: string[] = []
  await verifyLog(log.database, {}, (fault) => faults.push(fault))
  return faults
}

async function sealed(t: Test, records: number): Promise<Log> {
  const log = await openLog(t)
  await log.append(records)
  await log.seal()
  await log.storeHead()
  return log
}

const NEW = "gen_random_uuid(), 'login', 'done', 'user', '{}', sha256('')"
const COLUMNS = 'id, event, outcome, actor_kind, detail, personal_hash'

const REFUSED = [
  `INSERT INTO audit_records (${COLUMNS}, seq) VALUES (${NEW}, 6)`,
  `INSERT INTO audit_records (${COLUMNS}, seq, hash) VALUES (${NEW}, 6, sha256(''))`,
  `INSERT INTO audit_records (${COLUMNS}, hash) VALUES (${NEW}, sha256(''))`,
  `INSERT INTO audit_records (${COLUMNS}, at) VALUES (${NEW}, now())`,
  `INSERT INTO audit_records SELECT * FROM audit_records`,
  ...[
    'id = gen_random_uuid()',
    'at = now()',
    "event = 'logout'",
    "outcome = 'failed'",
    "actor_kind = 'admin'",
    'actor_id = NULL',
    'session_id = NULL',
    'target_kind = NULL',
    'target_id = NULL',
    'request_id = NULL',
    "detail = '{}'",
    'person_id = NULL',
    "personal_hash = sha256('')",
    'seq = seq + 100',
    'seq = NULL, hash = NULL',
    "hash = sha256('')",
    "personal = NULL, personal_salt = NULL, outcome = 'failed'",
    // The trigger, not a right.
    `personal = '{"ip":"192.0.2.9"}'`,
    "personal_salt = '\\x00'",
    'personal = NULL'
  ].map((change) => `UPDATE audit_records SET ${change}`),
  'DELETE FROM audit_records',
  'TRUNCATE audit_records',
  'SELECT * FROM audit_records FOR UPDATE; DROP TABLE audit_records',
  'ALTER TABLE audit_records DISABLE TRIGGER audit_records_erase_only',
  'ALTER TABLE audit_records DISABLE TRIGGER ALL',
  'DROP TRIGGER audit_records_erase_only ON audit_records',
  'CREATE TRIGGER mine BEFORE UPDATE ON audit_records FOR EACH ROW EXECUTE FUNCTION audit_erase_only()',
  'CREATE RULE mine AS ON INSERT TO audit_records DO INSTEAD NOTHING',
  'CREATE POLICY mine ON audit_records USING (false)',
  'ALTER TABLE audit_records ENABLE ROW LEVEL SECURITY',
  'SET session_replication_role = replica',
  'UPDATE audit_head SET seq = 0',
  "UPDATE audit_head SET hash = sha256('')",
  "INSERT INTO audit_head VALUES (1, sha256(''))",
  'DELETE FROM audit_head',
  "INSERT INTO audit_heads (seq, hash, at) VALUES (1, sha256(''), now() - interval '1000 days')",
  "UPDATE audit_heads SET hash = sha256('')",
  'UPDATE audit_heads SET seq = 1',
  'UPDATE audit_heads SET at = now()',
  'DELETE FROM audit_heads',
  'TRUNCATE audit_heads',
  "UPDATE audit_keys SET jwk = '{}'",
  'DELETE FROM audit_keys',
  "UPDATE audit_settings SET retention = '1 second'",
  "INSERT INTO audit_settings VALUES ('1 second')",
  'DELETE FROM audit_settings',
  'ALTER FUNCTION audit_seal(integer) OWNER TO CURRENT_USER',
  "CREATE OR REPLACE FUNCTION audit_erase_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
  'DROP FUNCTION audit_prune(integer)'
]

t.test('the service is refused whatever would change what is recorded', async (t) => {
  const log = await sealed(t, 5)
  for (const statement of REFUSED) {
    await t.rejects(runStatement(log.serviceUrl, statement), { code: '42501' }, statement)
  }
  t.strictSame(await verified(log), [])
})

t.test('the service may append, seal, erase, and store and sign heads', async (t) => {
  const log = await sealed(t, 2)
  const person = randomUUID()
  await log.append(1, person)
  await erasePerson(log.database, person)
  await log.seal()
  await log.storeHead()
  await runStatement(log.serviceUrl, "UPDATE audit_heads SET jws = 'x' WHERE seq = 3")
  await runStatement(log.serviceUrl, "INSERT INTO audit_keys VALUES ('kid', '{}')")
  t.strictSame(await log.rows('SELECT seq::int, personal FROM audit_records WHERE person_id = $1', [person]), [
    { seq: 3, personal: null }
  ])
})

// What a caller puts before the tables and functions that a function of the owner means.
const PLANTED = [
  `CREATE TEMP TABLE audit_head (seq bigint, hash bytea);
   INSERT INTO audit_head VALUES (100, sha256('mine'));
   SET search_path = pg_temp, public`,
  `CREATE TEMP TABLE audit_settings (retention interval); INSERT INTO audit_settings VALUES ('1 microsecond');
   SET search_path = pg_temp, public`,
  `CREATE TEMP TABLE audit_records AS SELECT * FROM public.audit_records;
   UPDATE audit_records SET at = now() - interval '1000 days';
   CREATE TEMP TABLE audit_heads (seq bigint, hash bytea, at timestamptz, jws text);
   INSERT INTO audit_heads SELECT seq, hash, at FROM public.audit_records;
   CREATE TEMP TABLE audit_settings (retention interval); INSERT INTO audit_settings VALUES ('1 microsecond');
   SET search_path = pg_temp, public`,
  `CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT ''\\x00''::bytea';
   CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now() + interval ''1000 days''';
   CREATE FUNCTION pg_temp.audit_text(public.audit_records, bigint) RETURNS text LANGUAGE sql AS 'SELECT ''mine''';
   SET search_path = pg_temp, pg_catalog, public`
]

for (const [i, planted] of PLANTED.entries()) {
  t.test(`tables and functions that the caller plants are not those of sealing and pruning (${i + 1})`, async (t) => {
    const log = await sealed(t, 5)
    await log.append(5)
    await runStatement(
      log.serviceUrl,
      `${planted}; SELECT public.audit_seal(100); SELECT * FROM public.audit_prune(100)`
    )
    t.strictSame(await log.rows('SELECT count(*)::int, max(seq)::int AS last FROM audit_records'), [
      { count: 10, last: 10 }
    ])
    t.strictSame(await verified(log), [])
  })
}

t.test('a planted head removes nothing, nor does a time that a record cannot have', async (t) => {
  const log = await sealed(t, 10)
  await log.asOwner("UPDATE audit_settings SET retention = '1 hour'")
  await runStatement(
    log.serviceUrl,
    "INSERT INTO audit_heads (seq, hash) VALUES (5, sha256('mine')), (99, sha256('mine'))"
  )
  await log.database.query('SELECT * FROM audit_prune(100)')
  // One with the right hash does not help either, because each record's own time counts.
  await runStatement(
    log.serviceUrl,
    'INSERT INTO audit_heads (seq, hash) SELECT seq, hash FROM audit_records WHERE seq = 7'
  )
  await log.database.query('SELECT * FROM audit_prune(100)')
  t.strictSame(await log.rows('SELECT count(*)::int FROM audit_records'), [{ count: 10 }])
})

t.test('sealing and removing end with any number, and remove nothing that is young', async (t) => {
  const log = await sealed(t, 10)
  await log.asOwner("UPDATE audit_records SET at = at - interval '800 days' WHERE seq < 10")
  for (const most of [0, -1, -2147483648, 2147483647]) {
    await log.database.query('SELECT * FROM audit_prune($1)', [most])
    await log.database.query('SELECT audit_seal($1)', [most])
  }
  t.strictSame(await log.rows('SELECT count(*)::int FROM audit_records'), [{ count: 10 }])
})
