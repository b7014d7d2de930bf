import type { Queryable } from '@latchkey/database/pool'

/** Writes that access tokens are refused which are issued before `ahead` seconds from now, by the database's clock. */
export async function tellEverybody(connection: Queryable, ahead: number): Promise<void> {
  await connection.query(
    `/* revocation_of_everybody */ INSERT INTO revocations (kind, number) VALUES ('all', ceil(extract(epoch FROM now()) + $1::float8)::bigint)`,
    [ahead]
  )
}
