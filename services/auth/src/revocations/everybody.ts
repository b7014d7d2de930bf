import type { Queryable } from '@latchkey/database/pool'

/** Writes that access tokens are refused which were issued before a time, in whole seconds since 1970. */
export async function tellEverybody(connection: Queryable, time: number): Promise<void> {
  await connection.query(`INSERT INTO revocations (kind, number) VALUES ('all', $1)`, [time])
}
