import type { Queryable } from '@latchkey/database/pool'

/** Most mails that are counted: more is as bad, and takes longer. */
const MOST = 10_000

/** How many mails are not sent yet, at most 10,000, and the age of the oldest of them in seconds; for metrics. */
export async function readBacklog(database: Queryable): Promise<{ mails: number; age: number }> {
  const [backlog] = await database.query<{ mails: number; age: number }>(
    `/* mail_backlog */ SELECT count(*) AS mails, coalesce(extract(epoch FROM now() - min(asked_at)), 0)::float8 AS age
       FROM (SELECT asked_at FROM mails WHERE done_at IS NULL LIMIT ${MOST}) AS open`
  )
  return backlog ?? { mails: 0, age: 0 }
}
