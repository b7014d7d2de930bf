import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Audited } from '@latchkey/events/definition'
import { type AuditedName, EVENTS } from '@latchkey/events/events'

/** Who acts, as a record says it. */
export type ActorKind = 'user' | 'admin' | 'operator' | 'stranger' | 'service'

/** `done`: what was asked for has happened. `refused`: by a rule (4xx). `failed`: by our fault (5xx). */
export type Outcome = 'done' | 'refused' | 'failed'

/** Data about a person, which are erased with them. */
export interface Personal {
  readonly ip?: string
  readonly user_agent?: string | null
  readonly email?: string
  readonly username?: string
}

/** A record as it is written; the database adds its time, and later its number and hash. */
export interface NewRecord {
  readonly id: string
  readonly event: AuditedName
  readonly outcome: Outcome
  readonly actor_kind: ActorKind
  readonly actor_id: string | null
  readonly session_id: string | null
  readonly target_kind: string | null
  readonly target_id: string | null
  readonly request_id: string | null
  /** JSON. */
  readonly detail: string
  /** Whom the personal data belong to. */
  readonly person_id: string | null
  /** JSON; null without any. */
  readonly personal: string | null
  readonly personal_salt: Buffer
  readonly personal_hash: Buffer
}

/** Where something comes from: a request, or a command of `npm run admin`. */
export interface Source {
  readonly requestId?: string | undefined
  readonly ip?: string | undefined
  readonly userAgent?: string | null | undefined
  /** The command, if an operator acts. */
  readonly command?: string | undefined
}

/** What an event says of itself. */
type Fields = Readonly<Record<string, unknown>>

/** Makes the record of something that was done. `more` are further personal data of the person who acts. */
export function recordOf(name: AuditedName, fields: Fields, source: Source, more: Personal = {}): NewRecord {
  const { target, detail = [] }: Audited = EVENTS[name].audit
  const actor = actorOf(name, fields, source)
  const user = text(fields['user'])
  // The end of one's own account erases every address of it, so its record has none from the beginning. And an operator
  // is nobody who could be erased.
  const isNobody = actor.kind === 'operator' || (name === 'account_deleted' && actor.id === user)
  return seal({
    event: name,
    outcome: 'done',
    actor,
    target: target === undefined ? [null, null] : [target, text(fields[target === 'key' ? 'kid' : target])],
    detail: Object.fromEntries(detail.filter((key) => key in fields).map((key) => [key, fields[key]])),
    person: actor.kind === 'operator' ? null : (actor.id ?? user),
    personal: isNobody ? {} : { ...clientOf(source), ...more },
    source
  })
}

/** What is known of somebody whose request was refused, or who did something that changes nothing. */
export interface Refused {
  readonly event: AuditedName
  readonly outcome: Outcome
  /** The code of the answer; there is none if it was done. */
  readonly code?: string
  /** Fields of the event. */
  readonly detail?: Fields
  /** The route, for the event `refused`, which has no route of its own. */
  readonly route?: string
  /** The caller; nobody is known without one. */
  readonly actor?: { readonly kind: 'user' | 'admin'; readonly id: string; readonly session: string }
  /** What it was aimed at. */
  readonly target?: { readonly kind: 'user' | 'session' | 'key' | 'stream' | 'room'; readonly id: string }
  /** The account that a stranger aimed at. */
  readonly account?: string
  /** The session whose token somebody unknown has shown. */
  readonly session?: string
  readonly source: Source
}

/** Makes the record of a refusal; `repeated` tells how often the same came again, after the first time. */
export function refusalOf(
  { event, outcome, code, detail, route, actor, target, account, session, source }: Refused,
  repeated?: number
): NewRecord {
  const kind = actor?.kind ?? (source.command === undefined ? 'stranger' : 'operator')
  return seal({
    event,
    outcome,
    actor: { kind, id: actor?.id ?? null, session: actor?.session ?? session ?? null },
    target: [target?.kind ?? null, target?.id ?? null],
    detail: {
      ...(code !== undefined && { code }),
      ...detail,
      ...(route !== undefined && { route }),
      ...(repeated !== undefined && { repeated })
    },
    person: actor?.id ?? account ?? null,
    personal: clientOf(source),
    // The others came with requests of their own.
    source: repeated === undefined ? source : { ...source, requestId: undefined }
  })
}

interface Actor {
  readonly kind: ActorKind
  readonly id: string | null
  readonly session: string | null
}

function actorOf(name: AuditedName, fields: Fields, { command }: Source): Actor {
  const { actor, target }: Audited = EVENTS[name].audit
  if (command !== undefined) return { kind: 'operator', id: null, session: null }
  const [user, by, session] = [text(fields['user']), text(fields['by']), text(fields['session'])]
  switch (actor) {
    case 'user':
      // One session ends another, or an administrator acts.
      if (target === 'session') return { kind: 'user', id: user, session: by ?? session }
      return by === null ? { kind: 'user', id: user, session } : { kind: 'admin', id: by, session }
    case 'admin':
      return { kind: 'admin', id: by, session }
    default:
      return { kind: actor, id: null, session }
  }
}

interface Parts {
  readonly event: AuditedName
  readonly outcome: Outcome
  readonly actor: Actor
  readonly target: readonly [kind: string | null, id: string | null]
  readonly detail: Fields
  readonly person: string | null
  readonly personal: Personal
  readonly source: { readonly requestId?: string | undefined; readonly command?: string | undefined }
}

function seal({ event, outcome, actor, target: [target_kind, target_id], detail, person, personal, source }: Parts) {
  const personalText = Object.keys(personal).length === 0 ? null : JSON.stringify(personal)
  const salt = randomBytes(16)
  return {
    id: randomUUID(),
    event,
    outcome,
    actor_kind: actor.kind,
    actor_id: actor.id,
    session_id: actor.session,
    target_kind,
    target_id,
    request_id: source.requestId ?? null,
    detail: JSON.stringify({ ...detail, ...(source.command !== undefined && { command: source.command }) }),
    person_id: person,
    personal: personalText,
    personal_salt: salt,
    personal_hash: hashPersonal(salt, personalText)
  }
}

/** The hash that stays in the chain when personal data are erased: SHA-256 of the salt and their text, or `null`. */
export function hashPersonal(salt: Buffer, personal: string | null): Buffer {
  return createHash('sha256')
    .update(salt)
    .update(personal ?? 'null')
    .digest()
}

function clientOf({ ip, userAgent }: Source): Personal {
  return ip === undefined ? {} : { ip, user_agent: userAgent ?? null }
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
