import { randomUUID } from 'node:crypto'
import type { ClientRefused } from '../src/refusal-counts.ts'

/** A login that was refused, of a client of its own or of this one. */
export function refusedLogin(client: string, own: Partial<ClientRefused> = {}): ClientRefused {
  return {
    event: 'login',
    outcome: 'refused',
    code: 'invalid_credentials',
    client,
    source: { requestId: randomUUID(), ip: client, userAgent: 'a test' },
    ...own
  }
}
