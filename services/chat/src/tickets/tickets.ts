import { createHash, randomBytes } from 'node:crypto'
import { removeInBatches } from '@latchkey/database/batches'
import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import type { KeptToken } from '@latchkey/verifier'

/** How long a ticket is good, in seconds. */
export const TICKET_LIFE = 30

/** The form of a ticket: 256 bits as base64url. */
const TICKET = /^[A-Za-z0-9_-]{43}$/

/** Makes a ticket that opens one socket with the rights of this token; only its hash is kept. */
export async function insertTicket(database: Queryable, { kid, claims }: KeptToken): Promise<string> {
  const ticket = randomBytes(32).toString('base64url')
  await database.query(
    `/* ticket_add */ INSERT INTO tickets (hash, claims, kid, expires_at) VALUES ($1, $2, $3, now() + make_interval(secs => $4))`,
    [hashOf(ticket), claims, kid, TICKET_LIFE]
  )
  return ticket
}

/**
 * Takes a ticket, so that nobody can use it again. Returns what was kept of its token, which has to be judged anew; nothing
 * if the ticket is unknown, used or over its time.
 */
export async function takeTicket(database: Queryable, ticket: string): Promise<KeptToken | undefined> {
  // A text of another form is no reason to ask the database.
  if (!TICKET.test(ticket)) return undefined
  const [row] = await database.query<KeptToken>(
    '/* ticket_use */ DELETE FROM tickets WHERE hash = $1 AND expires_at > now() RETURNING kid, claims',
    [hashOf(ticket)]
  )
  return row
}

/** Removes tickets that nobody has used. */
export function sweepTickets(database: Queryable, stopping?: AbortSignal): Promise<number> {
  const statement: Statement = `/* tickets_sweep */ WITH old AS MATERIALIZED (
      SELECT hash FROM tickets WHERE expires_at < now() ORDER BY expires_at LIMIT 500 FOR UPDATE SKIP LOCKED)
    DELETE FROM tickets USING old WHERE tickets.hash = old.hash RETURNING 1`
  return removeInBatches(database, { statement }, stopping)
}

function hashOf(ticket: string): Buffer {
  return createHash('sha256').update(ticket).digest()
}
