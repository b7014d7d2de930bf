import { randomUUID } from 'node:crypto'
import { type Database, openDatabase } from '@latchkey/database/pool'
import { createDatabase, runStatement, serviceUrl } from '@latchkey/testing/database'
import pg from 'pg'
import type { Test } from 'tap'
import { recordOf } from '../src/record.ts'
import { writeRecords } from '../src/write.ts'

/** An audit log of its own, as the service sees it, with what tests do to it. */
export interface Log {
  readonly database: Database<string>
  readonly ownerUrl: string
  readonly serviceUrl: string
  /** Runs statements as the owner of the tables. */
  asOwner(sql: string): Promise<void>
  /** Reads rows as the owner. */
  rows<R>(sql: string, values?: unknown[]): Promise<R[]>
  /** Appends so many logins, of these users or of new ones. */
  append(count: number, user?: string): Promise<void>
  /** Seals all that waits. */
  seal(): Promise<void>
  /** Stores the present end of the chain as a head, as the service does; returns it. */
  storeHead(jws?: string): Promise<{ seq: number; hash: string }>
  idOf(seq: number): Promise<string>
}

/** Opens an empty log of the service's user. */
export async function openLog(t: Test): Promise<Log> {
  const ownerUrl = await createDatabase(t)
  const url = await serviceUrl(ownerUrl)
  const database = openDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE: 4, ANSWER_TIMEOUT: 60 }, () => {})
  t.teardown(() => database.close())
  const rows: Log['rows'] = async (sql, values = []) => {
    const client = new pg.Client(ownerUrl)
    await client.connect()
    try {
      return (await client.query(sql, values)).rows
    } finally {
      await client.end()
    }
  }
  return {
    database,
    ownerUrl,
    serviceUrl: url,
    rows,
    asOwner: (sql) => runStatement(ownerUrl, sql),
    append: (count, user) => append(database, count, user),
    seal: async () => {
      for (;;) {
        const [sealed] = await database.query<{ count: number }>('SELECT audit_seal(1000) AS count')
        if (!sealed?.count) return
      }
    },
    storeHead: async (jws) => {
      const [head] = await database.query<{ seq: number; hash: string }>(
        `INSERT INTO audit_heads (seq, hash, jws) SELECT seq, hash, $1 FROM audit_head RETURNING seq, encode(hash, 'hex') AS hash`,
        [jws ?? null]
      )
      if (!head) throw new Error('no head')
      return head
    },
    idOf: async (seq) => (await rows<{ id: string }>('SELECT id FROM audit_records WHERE seq = $1', [seq]))[0]?.id ?? ''
  }
}

async function append(database: Database<string>, count: number, user?: string): Promise<void> {
  const records = Array.from({ length: count }, () =>
    recordOf(
      'login',
      { user: user ?? randomUUID(), session: randomUUID() },
      { requestId: randomUUID(), ip: '192.0.2.7', userAgent: 'a test' }
    )
  )
  await writeRecords(database, records)
}
