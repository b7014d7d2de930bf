import { follow, type Told } from '@latchkey/events/emit'
import type { EventName } from '@latchkey/events/events'
import { CLOSE_CODES } from './chat-metrics.ts'
import type { Group, LabelsOf } from './list.ts'
import type { Metrics } from './open.ts'

/** Where it is counted. */
type Counters = Pick<Metrics, 'add' | 'observe'>

type FieldsOf<N extends EventName> = Extract<Told, { name: N }>['fields']

/** What an event adds to the counters. An event that is not here is counted nowhere. */
type Counting = { readonly [N in EventName]?: (fields: FieldsOf<N>, to: Counters) => void }

type EndReason = LabelsOf<'latchkey_sessions_ended_total'>['reason']

const ended = (reason: EndReason) => (_: unknown, to: Counters) => to.add('latchkey_sessions_ended_total', { reason })

/** Of every service. */
const COMMON: Counting = {
  refused: ({ code }, to) => to.add('latchkey_refusals_total', { code }),
  failed: ({ code }, to) => to.add('latchkey_refusals_total', { code }),
  line_lost: (_, to) => to.add('latchkey_log_lines_lost_total')
}

/** Of a service with an audit log. */
const DATABASE: Counting = {
  audit_left_out: ({ refusals }, to) => to.add('latchkey_audit_refusals_lost_total', { reason: 'left_out' }, refusals),
  audit_failed: ({ lost }, to) => to.add('latchkey_audit_refusals_lost_total', { reason: 'lost' }, lost)
}

type Refused = FieldsOf<'refused'>

type Common = 'limited_account' | 'limited_address' | 'invalid' | 'unavailable' | 'failed'

/** The outcome of a request that was not done; `own` are the codes that only some of them have. */
function outcomeOf<O extends string>({ code, limit }: Refused, own: Readonly<Record<string, O>>): O | Common {
  const special = own[code]
  if (special) return special
  if (code === 'too_many_requests') return limit === 'account' ? 'limited_account' : 'limited_address'
  if (code === 'unavailable') return 'unavailable'
  return code === 'internal_error' ? 'failed' : 'invalid'
}

const OF_LOGIN = { invalid_credentials: 'wrong', email_unverified: 'unverified', account_disabled: 'disabled' } as const
const OF_SIGNUP = { email_taken: 'taken', signup_closed: 'closed' } as const
const OF_CHANGE = { invalid_credentials: 'wrong' } as const
const OF_RESET = { invalid_code: 'wrong' } as const

function countAttempt(refused: Refused, to: Counters): void {
  switch (refused.asked) {
    case 'login':
      to.add('latchkey_logins_total', { outcome: outcomeOf(refused, OF_LOGIN) })
      break
    case 'signup':
      to.add('latchkey_signups_total', { outcome: outcomeOf(refused, OF_SIGNUP) })
      break
    case 'password_changed':
      to.add('latchkey_password_changes_total', { outcome: outcomeOf(refused, OF_CHANGE) })
      break
    case 'password_reset':
      to.add('latchkey_password_resets_total', { outcome: outcomeOf(refused, OF_RESET) })
  }
}

function countRefused(refused: Refused, to: Counters): void {
  countAttempt(refused, to)
  if (refused.code === 'renewal_too_early') to.add('latchkey_refreshes_total', { verdict: 'early' })
}

/** Of the auth service, besides those of every service. */
const AUTH: Counting = {
  refused: countRefused,
  failed: countRefused,
  login: (_, to) => to.add('latchkey_logins_total', { outcome: 'ok' }),
  signup: (_, to) => to.add('latchkey_signups_total', { outcome: 'ok' }),
  password_changed: (fields, to) => {
    to.add('latchkey_password_changes_total', { outcome: 'ok' })
    ended('password_changed')(fields, to)
  },
  password_reset: (fields, to) => {
    to.add('latchkey_password_resets_total', { outcome: 'ok' })
    ended('password_reset')(fields, to)
  },

  // Without rotation the token stays the current one.
  refresh: ({ shown, current }, to) =>
    to.add('latchkey_refreshes_total', { verdict: shown === current ? 'same' : 'next' }),
  refresh_converged: (_, to) => to.add('latchkey_refreshes_total', { verdict: 'again' }),
  refresh_converged_elsewhere: (_, to) => to.add('latchkey_refreshes_total', { verdict: 'again' }),
  refresh_dead: (_, to) => to.add('latchkey_refreshes_total', { verdict: 'dead' }),
  // Moved on, the row has at least the generation of the token.
  refresh_ahead: ({ shown, current }, to) =>
    to.add('latchkey_refreshes_total', { verdict: current < shown ? 'ahead' : 'forward' }),
  refresh_reuse: (fields, to) => {
    to.add('latchkey_refreshes_total', { verdict: 'theft' })
    ended('theft')(fields, to)
  },

  logout: ended('logout'),
  logout_everywhere: ended('logout_everywhere'),
  session_ended: ended('ended'),
  session_replaced: ended('replaced'),
  session_evicted: ended('evicted'),
  sessions_ended: ended('admin'),
  user_disabled: ended('disabled'),
  account_deleted: ended('deleted'),

  password_worked: ({ wait, work }, to) => {
    to.observe('latchkey_password_wait_seconds', wait)
    to.observe('latchkey_password_work_seconds', work)
  },
  password_refused: (_, to) => to.add('latchkey_password_jobs_refused_total'),

  keys_refused: (_, to) => to.add('latchkey_key_folder_errors_total'),

  mail_sent: (_, to) => to.add('latchkey_mails_total', { outcome: 'sent' }),
  mail_retry: (_, to) => to.add('latchkey_mails_total', { outcome: 'retry' }),
  mail_refused: (_, to) => to.add('latchkey_mails_total', { outcome: 'refused' }),
  mail_dropped: (_, to) => to.add('latchkey_mails_total', { outcome: 'dropped' }),
  mail_late: (_, to) => to.add('latchkey_mails_total', { outcome: 'late' }),

  signal_sent: (_, to) => to.add('latchkey_signals_total', { outcome: 'accepted' }),
  signal_retry: (_, to) => to.add('latchkey_signals_total', { outcome: 'retry' }),
  signal_refused: (_, to) => to.add('latchkey_signals_total', { outcome: 'refused' }),
  signals_given_up: ({ sets }, to) => to.add('latchkey_signals_total', { outcome: 'given_up' }, sets),
  signals_lost: ({ records }, to) => to.add('latchkey_signals_total', { outcome: 'lost' }, records)
}

/** Of the chat. */
const CHAT: Counting = {
  socket_closed: ({ code }, to) => {
    const known = CLOSE_CODES.find((one) => one === String(code))
    to.add('latchkey_socket_closes_total', { code: known ?? 'other' })
  },
  messages_committed: ({ messages }, to) => {
    to.add('latchkey_messages_total', {}, messages)
    to.observe('latchkey_message_batch_size', messages)
  },
  events_delivered: ({ age }, to) => to.observe('latchkey_delivery_seconds', age)
}

const TABLES: { readonly [G in Group]?: Counting } = { common: COMMON, database: DATABASE, auth: AUTH, chat: CHAT }

/** Counts the events of this process from now on. Returns a function that ends it. */
export function countEvents(to: Counters, groups: readonly Group[]): () => void {
  const tables = groups.flatMap((group) => TABLES[group] ?? [])
  return follow(({ name, fields }) => {
    for (const table of tables) (table[name] as Count | undefined)?.(fields, to)
  })
}

type Count = (fields: object, to: Counters) => void
