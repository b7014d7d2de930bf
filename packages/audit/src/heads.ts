import type { Database } from '@latchkey/database/pool'
import { type EventLog, emit } from '@latchkey/events/emit'
import type { JWK } from 'jose'
import { kidOf } from './signatures.ts'

/** The end of the chain, as it is signed. */
export interface Head {
  readonly database: string
  readonly seq: number
  /** In hex. */
  readonly hash: string
  /** When it was read, by the database's clock, in UTC. */
  readonly at: string
}

/** Signs heads. */
export interface HeadSigner {
  /** Makes a JWS of a head with the key in force; nothing while no key signs. */
  sign(head: Head): Promise<{ readonly kid: string; readonly jwk: JWK; readonly jws: string } | undefined>
  /** Whether signatures of this key still count. */
  accepts(kid: string): boolean
}

/** The end of the chain, what waits for it, and the last head that was stored. */
export interface End extends Head {
  /** Whether records wait for their number. */
  readonly waits: boolean
  /** Whether heads wait for their signature. */
  readonly unsigned: boolean
  readonly last_seq: number | null
  readonly last_jws: string | null
  /** Whether the last head is from the last minute. */
  readonly is_recent: boolean | null
}

/** Most records without a stored head. */
const MOST_RECORDS = 1000

/** Most heads that are signed at once. */
const MOST_SIGNED = 100

const TIME = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`

/**
 * Reads the end of the chain: one short statement, so that a service can ask each second. A head of a number that is not
 * reached yet was planted, and does not count.
 */
export async function readEnd(database: Database): Promise<End> {
  const [end] = await database.query<End>(
    `/* audit_head_read */ SELECT current_database() AS database, h.seq, encode(h.hash, 'hex') AS hash,
            to_char(clock_timestamp() AT TIME ZONE 'UTC', ${TIME}) AS at,
            EXISTS (SELECT FROM audit_records r WHERE r.seq IS NULL) AS waits,
            EXISTS (SELECT FROM audit_heads u WHERE u.jws IS NULL) AS unsigned,
            l.seq AS last_seq, l.jws AS last_jws, l.at > clock_timestamp() - interval '60 s' AS is_recent
       FROM audit_head h
       LEFT JOIN LATERAL (SELECT seq, jws, at FROM audit_heads WHERE seq <= h.seq ORDER BY seq DESC LIMIT 1) l ON true`
  )
  if (!end) throw new Error('the table audit_head is empty')
  return end
}

/** Tells whether the end is to be stored as a head: once a minute and every 1,000 records, if something came. */
export function isHeadDue({ seq, last_seq, is_recent }: Pick<End, 'seq' | 'last_seq' | 'is_recent'>): boolean {
  if (last_seq === null) return seq > 0
  return seq > last_seq && (!is_recent || seq - last_seq >= MOST_RECORDS)
}

/** What {@link Heads} needs; without a signer heads stay unsigned. */
interface HeadsParts {
  readonly database: Database
  readonly log: EventLog
  readonly signer: HeadSigner | undefined
}

/** Stores, signs and logs heads. Of all instances, the one that stores or signs a head logs it. */
export class Heads {
  readonly #parts: HeadsParts
  /** The last head that was signed anew, and by which key. */
  #renewed = ''

  constructor(parts: HeadsParts) {
    this.#parts = parts
  }

  /** Stores the end if it is due, or in any case; then signs what waits for a key. */
  async keep(end: End, always = false): Promise<void> {
    if (isHeadDue(end) || (always && end.seq > (end.last_seq ?? 0))) await this.#store(end)
    else await this.#renew(end)
    if (end.unsigned) await this.#signWaiting()
  }

  async #store(end: Head): Promise<void> {
    await this.#insert(end, await this.#sign(end))
  }

  async #insert({ seq, hash }: Head, jws: string | null): Promise<void> {
    const stored = await this.#parts.database.query(
      `/* audit_head_store */ INSERT INTO audit_heads (seq, hash, jws) VALUES ($1, decode($2, 'hex'), $3) ON CONFLICT DO NOTHING RETURNING seq`,
      [seq, hash, jws]
    )
    if (stored.length > 0) this.#tell({ seq, hash }, jws)
  }

  // Whoever stole a revoked key can sign other heads with it, so the next key vouches for the present one.
  async #renew(end: End): Promise<void> {
    const kid = end.last_jws === null ? undefined : kidOf(end.last_jws)
    if (kid === undefined || !this.#parts.signer || this.#parts.signer.accepts(kid)) return
    const jws = await this.#sign(end)
    if (jws === null) return
    // Instances that do not agree on the keys, as for some seconds of a rotation, would otherwise take turns.
    const renewed = `${end.seq} ${kidOf(jws)}`
    if (this.#renewed === renewed) return
    this.#renewed = renewed
    if (end.seq === end.last_seq) await this.#replace(end, jws, end.last_jws)
    else await this.#insert(end, jws)
  }

  // Not the signature: it looks like a token, and a log must hold none.
  #tell({ seq, hash }: Pick<Head, 'seq' | 'hash'>, jws: string | null): void {
    emit(this.#parts.log, 'audit_head', { seq, hash, kid: jws === null ? null : (kidOf(jws) ?? null) })
  }

  async #replace({ seq, hash }: Head, jws: string, before: string | null): Promise<void> {
    const replaced = await this.#parts.database.query(
      `/* audit_head_sign */ UPDATE audit_heads SET jws = $3 WHERE seq = $1 AND hash = decode($2, 'hex') AND jws IS NOT DISTINCT FROM $4
        RETURNING seq`,
      [seq, hash, jws, before]
    )
    if (replaced.length > 0) this.#tell({ seq, hash }, jws)
  }

  // Only heads that fit their record: whoever can only add heads gets none signed.
  async #signWaiting(): Promise<void> {
    if (!this.#parts.signer) return
    const waiting = await this.#parts.database.query<Head>(
      `/* audit_heads_unsigned */ SELECT current_database() AS database, h.seq, encode(h.hash, 'hex') AS hash,
              to_char(clock_timestamp() AT TIME ZONE 'UTC', ${TIME}) AS at
         FROM audit_heads h JOIN audit_records r ON r.seq = h.seq AND r.hash = h.hash
        WHERE h.jws IS NULL ORDER BY h.seq DESC LIMIT $1`,
      [MOST_SIGNED]
    )
    for (const head of waiting) {
      const jws = await this.#sign(head)
      if (jws === null) return
      await this.#replace(head, jws, null)
    }
  }

  // The public key is there before the first signature that needs it.
  async #sign(head: Head): Promise<string | null> {
    const { database, seq, hash, at } = head
    const signed = await this.#parts.signer?.sign({ database, seq, hash, at })
    if (!signed) return null
    await this.#parts.database.query(
      '/* audit_key_add */ INSERT INTO audit_keys (kid, jwk) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [signed.kid, JSON.stringify(signed.jwk)]
    )
    return signed.jws
  }
}
