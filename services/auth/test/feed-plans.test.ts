import { openDatabase } from '@latchkey/database/pool'
import { between } from '@latchkey/testing/between'
import { createDatabase, runAsOwner } from '@latchkey/testing/database'
import t from 'tap'
import { openSource } from '../src/revocations/source.ts'

t.test('a pass reads the rows that wait, not all rows, also if the statistics are of an empty table', async (t) => {
  const url = await createDatabase(t)
  await runAsOwner(url, 'ALTER TABLE revocations SET (autovacuum_enabled = off)')
  await runAsOwner(url, 'VACUUM ANALYZE revocations')
  const database = openDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 60 }, () => {})
  t.teardown(() => database.close())
  const source = openSource(database)
  const read = async () => {
    await database.query('SELECT pg_stat_force_next_flush()')
    const [row] = await database.query<{ tuples: number }>(
      `SELECT (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'revocations')
            + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes
                WHERE relname = 'revocations' AND indexrelname <> 'revocations_unsealed') AS tuples`
    )
    return Number(row?.tuples)
  }
  await source.pass()
  const before = await read()
  for (let n = 0; n < 20; n += 1) {
    await database.query("INSERT INTO revocations (kind, key) SELECT 'session', n FROM generate_series(1, 200) AS n")
    t.equal((await source.pass()).numbered, 200)
  }
  // Not counted is the index of those that wait: as long as any transaction of the cluster is open, also in another
  // database, it has what is left of earlier ones.
  between(t, (await read()) - before, { most: 8000 }, 'all rows at each pass would be 42,000 and more')
})
