import { randomUUID } from 'node:crypto'
import t from 'tap'
import { GENESIS, link, personalDataOf, type SealedRecord, textOf } from '../src/chain.ts'
import { pagesOf } from '../src/pages.ts'
import { hashPersonal } from '../src/record.ts'
import { openLog } from './log.ts'

const EVERY_CONTROL = Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)).join('')
const STRANGE = [
  '',
  'plain',
  '"quoted" \\ and \\\\ back \\u0041 / slash',
  EVERY_CONTROL,
  '\u007f\u0080\u00a0\u2028\u2029\ufeff\ufffd',
  '\u{1f511}\u{10ffff} e\u0301 \u202e',
  'null',
  '[", "]'
]
const TIMES = ['2026-01-31 12:00:00.000001+00', '2026-06-30 23:59:59.999999+00', '1999-12-31 23:00:00-05']

t.test('text and hash in Node are those of the database, whatever a record contains', async (t) => {
  const log = await openLog(t)
  for (const [i, strange] of STRANGE.entries()) {
    const person = i % 2 === 0 ? randomUUID() : null
    const salt = Buffer.alloc(16, i)
    const personal = person && JSON.stringify({ ip: strange })
    await log.rows(
      `INSERT INTO audit_records (id, at, event, outcome, actor_kind, actor_id, session_id, target_kind, target_id, request_id,
         detail, person_id, personal, personal_salt, personal_hash)
       VALUES (gen_random_uuid(), $1, $2, 'done', 'user', $3, $3, $4, $5, $3, $6, $3, $7, $8, $9)`,
      [
        TIMES[i % TIMES.length],
        strange,
        person,
        person && strange,
        strange,
        `{ "b":1.0e0,  "a":${JSON.stringify(strange)}, "a": 2 }`,
        personal,
        salt,
        hashPersonal(salt, personal)
      ]
    )
  }
  await log.seal()
  const texts = await log.rows<{ text: string }>(
    'SELECT audit_text(r, r.seq) AS text FROM audit_records r ORDER BY seq'
  )
  const records: SealedRecord[] = []
  for await (const page of pagesOf(log.database)) records.push(...page)
  t.equal(records.length, STRANGE.length)
  t.strictSame(
    records.map((record) => textOf(record)),
    texts.map(({ text }) => text)
  )
  let before = GENESIS
  for (const record of records) {
    const hash = link(before, textOf(record))
    t.strictSame(hash, record.hash, `the hash of ${record.seq}`)
    t.equal(personalDataOf(record), 'fits')
    before = hash
  }
})
