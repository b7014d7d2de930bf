import { randomUUID } from 'node:crypto'
import t from 'tap'
import { recordOf } from '../src/record.ts'
import { eraseLate, erasePerson, eraseRest, writeRecords } from '../src/write.ts'
import { type Log, openLog } from './log.ts'

const left = async (log: Log, person: string) =>
  (
    await log.rows<{ count: number }>(
      'SELECT count(*)::int FROM audit_records WHERE person_id = $1 AND (personal IS NOT NULL OR personal_salt IS NOT NULL)',
      [person]
    )
  )[0]?.count

t.test('a person with more records than one statement erases is erased in batches, and nobody else', async (t) => {
  const log = await openLog(t)
  const [ada, bob] = [randomUUID(), randomUUID()]
  await log.append(6200, ada)
  await log.append(10, bob)
  await log.seal()
  await log.database.transaction((connection) => erasePerson(connection, ada))
  t.equal(await left(log, ada), 1200)
  await eraseRest(log.database, ada)
  t.equal(await left(log, ada), 0)
  t.equal(await left(log, bob), 10)
})

t.test('what a deletion that was cut off has left is erased later', async (t) => {
  const log = await openLog(t)
  const [ada, bob] = [randomUUID(), randomUUID()]
  await log.append(700, ada)
  await log.append(10, bob)
  await writeRecords(log.database, [recordOf('account_deleted', { user: ada, by: bob }, { ip: '192.0.2.1' })])
  await log.seal()
  t.equal(await eraseLate(log.database), 700)
  t.strictSame([await left(log, ada), await left(log, bob)], [0, 11])
  t.equal(await eraseLate(log.database), 0)
})
