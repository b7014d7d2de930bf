import { createHash } from 'node:crypto'
import { signCompact } from '../keys/compact-jws.ts'
import type { KeyRing } from '../keys/folder.ts'
import { type Signal, type Subject, secondsOf, signalsOf } from './kinds.ts'
import type { LogPlace } from './log.ts'
import type { LoggedRecord } from './record.ts'

/** The `typ` of a SET (RFC 8417 §2.3); no rule for tokens accepts it. */
export const SET_TYPE = 'secevent+jwt'

/** A SET that is not signed yet: its claims but for `iat`, and where it comes from. */
export interface UnsignedSet {
  /** Its id: of one SET always the same, however often it is sent. */
  readonly jti: string
  /** Which SET of its record it is, from 0. */
  readonly part: number
  /** Whether it is the last one of its record. */
  readonly isLast: boolean
  readonly record: LoggedRecord
  readonly claims: Readonly<Record<string, unknown>>
}

/** The stream that a SET is for. */
export interface Addressee {
  readonly id: string
  readonly audience: string
}

/** Makes the SETs of a record for one stream. Another stream's have other ids. */
export function setsOf(record: LoggedRecord, stream: Addressee, issuer: string): UnsignedSet[] {
  return signalsOf(record, stream.id).map((signal, part, { length }) => {
    const jti = jtiOf(stream.id, record.id, part)
    return { jti, part, isLast: part === length - 1, record, claims: claimsOf(record, signal, { jti, issuer, stream }) }
  })
}

function jtiOf(stream: string, record: string, part: number): string {
  return createHash('sha256').update(`${stream} ${record} ${part}`).digest().subarray(0, 16).toString('base64url')
}

// RFC 8417 §2.2. There is no exp and no sub, so that nobody takes it for a token (SSF 1.0 §5).
function claimsOf(
  { id, at, request_id }: LoggedRecord,
  { type, event, subject }: Signal,
  { jti, issuer, stream }: { jti: string; issuer: string; stream: Addressee }
) {
  return {
    iss: issuer,
    aud: stream.audience,
    jti,
    toe: secondsOf(at),
    txn: request_id ?? id,
    sub_id: subjectOf(subject, issuer),
    events: { [type]: event }
  }
}

function subjectOf(subject: Subject, iss: string): object {
  if ('stream' in subject) return { format: 'opaque', id: subject.stream }
  // A tenant is all of its users (SSF 1.0 §3.2). There is one: whatever the issuer knows.
  if ('everybody' in subject) return { format: 'complex', tenant: { format: 'uri', uri: iss } }
  const user = { format: 'iss_sub', iss, sub: subject.user }
  if (!('session' in subject)) return user
  return { format: 'complex', user, session: { format: 'opaque', id: subject.session } }
}

/** Signs a SET with the access key in force: compact, RS256. Throws `unavailable` while no key may sign. */
export function signSet({ claims }: UnsignedSet, access: KeyRing): Promise<string> {
  return signCompact(access.current, SET_TYPE, { ...claims, iat: Math.floor(Date.now() / 1000) })
}

/** Tells whether a SET of the records behind a place was not dealt with. */
export function isAhead({ record, part }: UnsignedSet, place: LogPlace): boolean {
  return record.seq > place.seq + 1 || part >= place.part
}

/** The place of a stream that has dealt with a SET. */
export function behind({ record, part, isLast }: UnsignedSet): LogPlace {
  const read_at = new Date(record.at)
  // Before this record, so that no other one can be meant.
  return isLast
    ? { seq: record.seq, mark: record.hash, read_at, part: 0 }
    : { seq: record.seq - 1, mark: null, read_at, part: part + 1 }
}
