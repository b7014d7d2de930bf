import { createHash, randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { type Evidence, verifyLog } from '../src/verify.ts'
import { erasePerson } from '../src/write.ts'
import { type Log, openLog } from './log.ts'

async function verify(log: Log, evidence: Evidence = {}) {
  const faults: string[] = []
  const verified = await verifyLog(log.database, evidence, (fault) => faults.push(fault))
  return { ...verified, told: faults }
}

/** A log of so many sealed records. */
async function sealed(t: Test, records: number): Promise<Log> {
  const log = await openLog(t)
  await log.append(records)
  await log.seal()
  return log
}

/** Moves records without meeting a number that is taken. */
const renumber = (where: string, difference: number) =>
  `UPDATE audit_records SET seq = seq + 1000000 WHERE ${where};
   UPDATE audit_records SET seq = seq - 1000000 + ${difference} WHERE seq > 1000000`

/** Computes the chain anew from a number on, as an owner can, also its stored end. */
const recompute = (from: number) => `DO $$
  DECLARE before bytea; one audit_records;
  BEGIN
    SELECT coalesce((SELECT hash FROM audit_records WHERE seq = ${from - 1}), decode(repeat('00', 32), 'hex')) INTO before;
    FOR one IN SELECT * FROM audit_records WHERE seq >= ${from} ORDER BY seq LOOP
      before := sha256('\\x01'::bytea || before || convert_to(audit_text(one, one.seq), 'UTF8'));
      UPDATE audit_records SET hash = before WHERE id = one.id;
    END LOOP;
    UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit_records ORDER BY seq DESC NULLS LAST LIMIT 1);
  END $$`

t.test('a whole log has no fault', async (t) => {
  const log = await sealed(t, 1001)
  await log.storeHead()
  await log.append(2)
  const { told, ...verified } = await verify(log)
  t.strictSame(told, [])
  t.match(verified, { faults: 0, records: 1001, begin: 0, end: 1001, unsealed: { count: 2 }, heads: { unsigned: 1 } })
  t.ok(verified.unsealed.oldest instanceof Date)
})

t.test('an empty log has no fault', async (t) => {
  t.match(await verify(await openLog(t)), { told: [], records: 0, begin: 0, end: 0, unsealed: { count: 0 } })
})

// Each column that a record's text is made of, and what it is altered to.
const ALTERED = {
  id: 'gen_random_uuid()',
  at: "at + interval '1 microsecond'",
  event: "'logout'",
  outcome: "'refused'",
  actor_kind: "'admin'",
  actor_id: 'NULL',
  session_id: 'gen_random_uuid()',
  target_kind: "'user'",
  target_id: "'another'",
  request_id: 'NULL',
  detail: `'{"a": 1}'`,
  person_id: 'gen_random_uuid()'
}

for (const [column, value] of Object.entries(ALTERED)) {
  t.test(`a record whose ${column} was altered is named, and no other`, async (t) => {
    const log = await sealed(t, 9)
    await log.asOwner(`UPDATE audit_records SET ${column} = ${value} WHERE seq = 5`)
    const { told } = await verify(log)
    t.strictSame(told, [`record 5 (${await log.idOf(5)}) was altered. Or the record before it was, and got a new hash`])
  })
}

t.test('many altered records are named one by one, also in neighbouring places', async (t) => {
  const log = await sealed(t, 50)
  await log.asOwner(`UPDATE audit_records SET outcome = 'failed' WHERE seq IN (1, 7, 8, 9, 30, 50)`)
  const { told } = await verify(log)
  t.equal(told.length, 6)
  for (const [i, seq] of [1, 7, 8, 9, 30, 50].entries()) {
    t.match(told[i], `record ${seq} (${await log.idOf(seq)}) was altered`)
  }
})

t.test('a hash that was altered is told apart from an altered record', async (t) => {
  const log = await sealed(t, 9)
  await log.asOwner(`UPDATE audit_records SET hash = sha256('another') WHERE seq = 5`)
  t.strictSame((await verify(log)).told, [`record 5 (${await log.idOf(5)}) has another hash than it was sealed with`])
})

t.test('of a record that was altered and got a new hash the next one speaks, or a head that was kept', async (t) => {
  const log = await openLog(t)
  await log.append(5)
  await log.seal()
  const head = await log.storeHead()
  await log.asOwner('DELETE FROM audit_heads')
  await log.append(4)
  await log.seal()
  await log.asOwner(`UPDATE audit_records SET outcome = 'failed' WHERE seq = 5;
    UPDATE audit_records r SET hash = sha256('\\x01'::bytea || b.hash || convert_to(audit_text(r, r.seq), 'UTF8'))
      FROM audit_records b WHERE b.seq = 4 AND r.seq = 5`)
  const [five, six] = [await log.idOf(5), await log.idOf(6)]
  t.strictSame((await verify(log)).told, [
    `record 6 (${six}) was altered. Or the record before it was, and got a new hash`
  ])
  const kept = { seq: head.seq, hash: Buffer.from(head.hash, 'hex'), jws: null, at: null, source: 'kept' }
  t.strictSame((await verify(log, { heads: [kept] })).told, [
    `record 5 (${five}) was altered, and got a new hash`,
    'the head of record 5 in kept does not fit: records 1 to 5, or some of them, were replaced, or the head is false'
  ])
})

t.test('removed records are named by their numbers', async (t) => {
  const log = await sealed(t, 2500)
  await log.asOwner('DELETE FROM audit_records WHERE seq IN (5, 1000, 1001, 1002)')
  t.strictSame((await verify(log)).told, [
    'record 5 is missing: it was removed, or got another number',
    'records 1000 to 1002 are missing: they were removed, or got other numbers'
  ])
})

t.test('a removed beginning is told, also all records', async (t) => {
  const log = await sealed(t, 20)
  await log.asOwner('DELETE FROM audit_records WHERE seq <= 3')
  t.strictSame((await verify(log)).told, [
    'records 1 to 3 are missing: they were removed, or got other numbers. No record audit_pruned tells of their removal'
  ])
  await log.asOwner('TRUNCATE audit_records')
  t.match((await verify(log)).told, [/^the log was cut: the chain ends at record 20 .* records 1 to 20 are missing/])
})

t.test('a cut tail is told by the stored end, by stored heads and by a kept head', async (t) => {
  const log = await sealed(t, 20)
  const head = await log.storeHead()
  await log.asOwner('DELETE FROM audit_records WHERE seq > 15')
  const byEnd = 'the log was cut: the chain ends at record 20 (audit_head). So records 16 to 20 are missing'
  const byHead = '1 stored heads are of records that are not in the log, of 20 to 20: records 16 to 20 are missing'
  t.match((await verify(log)).told, [byEnd, byHead])
  const back = 'UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit_records WHERE seq = 15)'
  await log.asOwner(back)
  t.match((await verify(log)).told, [byHead])
  await log.asOwner('DELETE FROM audit_heads')
  t.strictSame((await verify(log)).told, [], 'nothing in the database shows it')
  const kept = { seq: 20, hash: Buffer.from(head.hash, 'hex'), jws: null, at: null, source: 'auth.log:7' }
  t.strictSame((await verify(log, { heads: [kept] })).told, [
    'the log was cut: it ends at record 15, and auth.log:7 has the head of record 20. So records 16 to 20 are missing: they were removed, or got other numbers, or that head is false'
  ])
  await log.append(10)
  await log.seal()
  t.match((await verify(log, { heads: [kept] })).told, [
    /^the head of record 20 in auth.log:7 does not fit: records 1 to 20/
  ])
})

t.test('inserted records are named: at the end, between, and with a number that is taken', async (t) => {
  const log = await sealed(t, 20)
  const insert = (
    seq: number
  ) => `INSERT INTO audit_records (id, event, outcome, actor_kind, detail, personal_salt, personal_hash, seq, hash)
    VALUES (gen_random_uuid(), 'login', 'done', 'user', '{}', '\\x00', sha256('\\x006e756c6c'), ${seq}, sha256('x'))`
  await log.asOwner(insert(21))
  const atEnd = await log.idOf(21)
  t.match((await verify(log)).told, [
    `record 21 (${atEnd}) was inserted`,
    'the chain ends at record 20 (audit_head): what is behind it, up to record 21, was inserted'
  ])
  await log.asOwner(`DELETE FROM audit_records WHERE seq = 21; ${renumber('seq > 7', 1)}; ${insert(8)}`)
  t.match((await verify(log)).told, [
    `record 8 (${await log.idOf(8)}) was inserted`,
    `records 9 to 21 (${await log.idOf(9)} to ${await log.idOf(21)}) were renumbered: they were 8 to 20`,
    'the chain ends at record 20 (audit_head)'
  ])
  const other = await sealed(t, 20)
  await other.asOwner(`DROP INDEX audit_records_seq; ${insert(8)}; ${insert(20)}`)
  const intruders = await other.rows<{ seq: number; id: string }>(
    "SELECT seq::int, id FROM audit_records WHERE hash = sha256('x') ORDER BY seq"
  )
  const { told } = await verify(other)
  t.equal(told.length, 2)
  for (const [i, { seq, id }] of intruders.entries()) {
    t.match(told[i], new RegExp(`^record ${seq} is there twice, as .* and .*: ${id} was inserted$`))
  }
})

t.test('records that changed places are named, near or far, with their hashes or without', async (t) => {
  for (const far of [9, 1800]) {
    const log = await sealed(t, 2000)
    const [five, other] = [await log.idOf(5), await log.idOf(far)]
    const swap = `UPDATE audit_records SET seq = -seq WHERE seq IN (5, ${far});
      UPDATE audit_records SET seq = CASE seq WHEN -5 THEN ${far} ELSE 5 END WHERE seq < 0`
    const dropped = 'ALTER TABLE audit_records DROP CONSTRAINT audit_records_seq_check;'
    await log.asOwner(dropped + swap)
    t.strictSame((await verify(log)).told, [`records 5 (${other}) and ${far} (${five}) changed places`])
    await log.asOwner(`CREATE TABLE hashes AS SELECT seq, hash FROM audit_records WHERE seq IN (5, ${far});
      UPDATE audit_records r SET hash = h.hash FROM hashes h WHERE r.seq IN (5, ${far}) AND h.seq <> r.seq`)
    t.strictSame(
      (await verify(log)).told,
      [`records 5 (${other}) and ${far} (${five}) changed places`],
      'without hashes'
    )
  }
})

t.test('a record that was moved, and those between that moved up, are named', async (t) => {
  const log = await sealed(t, 20)
  const five = await log.idOf(5)
  await log.asOwner(`UPDATE audit_records SET seq = 1000 WHERE seq = 5; ${renumber('seq BETWEEN 6 AND 9', -1)};
    UPDATE audit_records SET seq = 9 WHERE seq = 1000`)
  t.strictSame((await verify(log)).told, [
    `records 5 to 8 (${await log.idOf(5)} to ${await log.idOf(8)}) were renumbered: they were 6 to 9`,
    `record 9 (${five}) was moved: it was number 5`
  ])
})

t.test('a removed record whose gap was closed by renumbering is told, however many follow', async (t) => {
  const log = await sealed(t, 3000)
  await log.asOwner(`DELETE FROM audit_records WHERE seq = 7; ${renumber('seq > 7', -1)}`)
  t.match((await verify(log)).told, [
    `record 7 was removed, and record 7 (${await log.idOf(7)}) was renumbered: it was 8`,
    `records 8 to 40 (${await log.idOf(8)} to ${await log.idOf(40)}) were renumbered: they were 9 to 41`,
    'records 41 to 2999 were renumbered too: they were 42 to 3000',
    'the log was cut: the chain ends at record 3000 (audit_head). So record 3000 is missing'
  ])
})

t.test('a record that got a number far behind the end is told', async (t) => {
  const log = await sealed(t, 20)
  const seven = await log.idOf(7)
  await log.asOwner('UPDATE audit_records SET seq = 500 WHERE seq = 7')
  const { told } = await verify(log)
  t.match(told, [
    /^record 7 is missing/,
    /^records 21 to 499 are missing/,
    `record 500 (${seven}) was moved: it was number 7`
  ])
  await log.asOwner('UPDATE audit_records SET seq = 9223372036854775807 WHERE seq = 500')
  t.match((await verify(log)).told, [/^record 7 is missing/, /^1 records have numbers beyond/])
})

t.test('a chain that was computed anew by the owner shows only by a head, which tells from where', async (t) => {
  const log = await openLog(t)
  const kept: NonNullable<Evidence['heads']>[number][] = []
  for (let i = 0; i < 5; i += 1) {
    await log.append(10)
    await log.seal()
    const { seq, hash } = await log.storeHead()
    kept.push({ seq, hash: Buffer.from(hash, 'hex'), jws: null, at: null, source: `auth.log:${i + 1}` })
  }
  const removed = `DELETE FROM audit_records WHERE seq = 27; ${renumber('seq > 27', -1)}; ${recompute(27)}`
  await log.asOwner(removed)
  const { told } = await verify(log)
  t.match(told, [
    'the stored head of record 30 (and 1 more after it) does not fit: records 21 to 30, or some of them, were replaced, or the head is false',
    '1 stored heads are of records that are not in the log, of 50 to 50'
  ])
  await log.asOwner(`DELETE FROM audit_heads WHERE seq > 49;
    UPDATE audit_heads h SET hash = r.hash FROM audit_records r WHERE r.seq = h.seq`)
  t.strictSame((await verify(log)).told, [], 'in the database all fits')
  t.match((await verify(log, { heads: kept.slice(2, 3) })).told, [
    'the head of record 30 in auth.log:3 does not fit: records 1 to 30, or some of them, were replaced, or the head is false'
  ])
  t.match((await verify(log, { heads: kept })).told, [
    /^the head of record 30 in auth.log:3 \(and 1 more after it\) does not fit: records 21 to 30, or some of them,/,
    /^the log was cut: it ends at record 49, and auth.log:5 has the head of record 50/
  ])
  t.match(await verify(log, { heads: kept.slice(0, 2) }), { told: [], heads: { kept: 2 } }, 'older heads fit')
})

t.test('a false head in the table is told, and that it is the head if a kept one fits further on', async (t) => {
  const log = await sealed(t, 10)
  await log.rows(`INSERT INTO audit_heads (seq, hash) VALUES (4, sha256('false'))`)
  t.strictSame((await verify(log)).told, [
    'the stored head of record 4 does not fit: records 1 to 4, or some of them, were replaced, or the head is false'
  ])
  const { hash } = await log.storeHead()
  const kept = { seq: 10, hash: Buffer.from(hash, 'hex'), jws: null, at: null, source: 'kept' }
  t.strictSame((await verify(log, { heads: [kept] })).told, [
    'the stored head of record 4 is false: it does not fit, but a kept head after it does'
  ])
  await log.asOwner(`UPDATE audit_head SET hash = sha256('another')`)
  t.match((await verify(log)).told, [/record 4/, 'record 10 is the last one, but audit_head has another hash'])
  await log.asOwner('DELETE FROM audit_head')
  t.match((await verify(log)).told, [/record 4/, 'audit_head has no row'])
})

t.test('personal data that were altered are named, and erased ones whose account was not deleted', async (t) => {
  const log = await openLog(t)
  const [ada, bob] = [randomUUID(), randomUUID()]
  await log.append(3, ada)
  await log.append(3, bob)
  await log.seal()
  const seqs = async (person: string) =>
    (
      await log.rows<{ seq: number }>('SELECT seq::int FROM audit_records WHERE person_id = $1 ORDER BY seq', [person])
    ).map(({ seq }) => seq)
  const [first = 0] = await seqs(ada)
  await log.asOwner(`ALTER TABLE audit_records DISABLE TRIGGER audit_records_erase_only;
    UPDATE audit_records SET personal = '{"ip":"198.51.100.1"}' WHERE seq = ${first}`)
  t.strictSame((await verify(log)).told, [
    `the personal data of record ${first} (${await log.idOf(first)}) were altered`
  ])
  await erasePerson(log.database, ada)
  const { told } = await verify(log)
  t.equal(told.length, 3)
  t.match(
    told[0],
    `the personal data of record ${first} (${await log.idOf(first)}) were erased: they are of user ${ada}`
  )
  const deleted = `INSERT INTO audit_records (id, event, outcome, actor_kind, actor_id, target_kind, target_id, detail, personal_salt, personal_hash)
    VALUES (gen_random_uuid(), 'account_deleted', $1, 'user', $2::text::uuid, 'user', $2::text, '{}', '\\x00', sha256('\\x00'::bytea || convert_to('null', 'UTF8')))`
  await log.rows(deleted, ['refused', ada])
  t.equal((await verify(log)).faults, 3, 'a refused deletion is none')
  await log.rows(deleted, ['done', ada])
  t.match(await verify(log), { told: [], erasures: { erased: 3 } }, 'not sealed')
  await log.seal()
  t.match(await verify(log), { told: [], erasures: { erased: 3 } })
})

t.test('a changed hash of personal data, or a changed salt, is a fault', async (t) => {
  const log = await sealed(t, 5)
  await log.asOwner(`UPDATE audit_records SET personal_hash = '\\x${createHash('sha256').digest('hex')}' WHERE seq = 2`)
  t.match((await verify(log)).told, [/personal data of record 2/, /^record 2 .* was altered/])
})
