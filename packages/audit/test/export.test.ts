import { createHash, randomUUID } from 'node:crypto'
import t from 'tap'
import type { SealedRecord } from '../src/chain.ts'
import { exportLines, isTime, jsonLineOf, type Period } from '../src/export.ts'
import { type NewRecord, recordOf, refusalOf } from '../src/record.ts'
import { erasePerson, writeRecords } from '../src/write.ts'
import { type Log, openLog } from './log.ts'

async function exported(log: Log, period: Period = {}, lineOf: (r: SealedRecord) => string | undefined = jsonLineOf) {
  let text = ''
  for await (const page of exportLines(log.database, period, lineOf)) text += page
  return text.split('\n').slice(0, -1)
}

t.test('an auditor can compute the chain from the export alone, and personal data against their hashes', async (t) => {
  const log = await openLog(t)
  const records: NewRecord[] = [
    recordOf('login', { user: randomUUID(), session: randomUUID() }, { ip: '2001:db8::1', userAgent: '"\n\u{1f511}' }),
    recordOf('roles_changed', { user: randomUUID(), roles: ['admin'] }, { command: 'grant' }),
    refusalOf({ event: 'login', outcome: 'refused', code: 'wrong_credentials', source: { ip: '192.0.2.1' } }, 7)
  ]
  await writeRecords(log.database, records)
  await log.append(1500)
  await log.seal()
  await log.asOwner(`UPDATE audit_records SET detail = '{ "b": 1,\n "a" : [] }' WHERE false`)
  let before = Buffer.alloc(32)
  const lines = await exported(log)
  t.equal(lines.length, 1503)
  for (const [i, line] of lines.entries()) {
    const { seq, text, hash, ...record } = JSON.parse(line)
    t.equal(seq, i + 1)
    before = createHash('sha256').update('\x01').update(before).update(text).digest()
    if (before.toString('hex') !== hash) t.fail(`the hash of record ${seq}`)
    const personal = createHash('sha256').update(Buffer.from(record.personal_salt, 'hex'))
    if (personal.update(record.personal_text ?? 'null').digest('hex') !== record.personal_hash) t.fail(`of ${seq}`)
  }
  const byId = new Map(lines.map((line) => [JSON.parse(line).id, JSON.parse(line)]))
  t.match(byId.get(records[0]?.id), { event: 'login', personal: { ip: '2001:db8::1', user_agent: '"\n\u{1f511}' } })
  t.match(byId.get(records[1]?.id), {
    actor_kind: 'operator',
    detail: { roles: ['admin'], command: 'grant' },
    personal: null
  })
  t.match(byId.get(records[2]?.id), { outcome: 'refused', detail: { code: 'wrong_credentials', repeated: 7 } })
})

t.test('erased personal data are null, with their hash', async (t) => {
  const log = await openLog(t)
  const user = randomUUID()
  await log.append(1, user)
  await log.seal()
  await erasePerson(log.database, user)
  const [line = ''] = await exported(log)
  t.match(JSON.parse(line), {
    personal: null,
    personal_text: null,
    personal_salt: null,
    personal_hash: /^[\da-f]{64}$/
  })
})

t.test('a period contains its beginning and not its end, to the microsecond and in any offset', async (t) => {
  const log = await openLog(t)
  await log.append(4)
  const at = ['12:00:00', '12:00:00.000001', '13:00:00', '11:59:59.999999']
  const rows = await log.rows<{ id: string }>('SELECT id FROM audit_records ORDER BY id')
  for (const [i, { id }] of rows.entries()) {
    await log.rows(`UPDATE audit_records SET at = $1 WHERE id = $2`, [`2026-01-31 ${at[i]}+00`, id])
  }
  await log.seal()
  const times = async (period: Period) => (await exported(log, period)).map((line) => JSON.parse(line).at.slice(11))
  t.strictSame(await times({}), ['11:59:59.999999Z', '12:00:00.000000Z', '12:00:00.000001Z', '13:00:00.000000Z'])
  t.strictSame(await times({ from: '2026-01-31T12:00:00Z', to: '2026-01-31T14:00:00+01:00' }), [
    '12:00:00.000000Z',
    '12:00:00.000001Z'
  ])
  t.strictSame(await times({ to: '2026-01-31T12:00:00.000001Z' }), ['11:59:59.999999Z', '12:00:00.000000Z'])
  t.strictSame(await times({ from: '2026-01-31T12:00:00.000001Z' }), ['12:00:00.000001Z', '13:00:00.000000Z'])
  t.strictSame(await times({ from: '2027-01-01T00:00:00Z' }), [])
})

t.test('what has no number yet is not exported', async (t) => {
  const log = await openLog(t)
  await log.append(2)
  t.strictSame(await exported(log), [])
})

t.test('times are those of RFC 3339 that exist', (t) => {
  const good = [
    '2026-01-31T12:00:00Z',
    '2024-02-29t00:00:00.123456789z',
    '2026-12-31T23:59:60+05:30',
    '2026-01-31 12:00:00-08:00'
  ]
  for (const time of good) t.ok(isTime(time), time)
  const bad = [
    '',
    'now',
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:61Z',
    '2026-01-31T12:00:00+24:00',
    '0000-01-01T00:00:00Z',
    ' 2026-01-31T12:00:00Z',
    "2026-01-31T12:00:00Z'"
  ]
  for (const time of bad) t.notOk(isTime(time), time)
  t.end()
})
