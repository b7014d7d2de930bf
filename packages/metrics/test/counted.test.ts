import { count, emit } from '@latchkey/events/emit'
import type { EventFields, EventName } from '@latchkey/events/events'
import { countEvents } from '@latchkey/metrics/counted'
import { METRICS } from '@latchkey/metrics/list'
import { openMetrics } from '@latchkey/metrics/open'
import t from 'tap'
import type { Metric } from '../src/definition.ts'
import { valuesOf } from './metrics.ts'

const GROUPS = ['database', 'auth', 'chat'] as const

const LOG = { info: () => {}, warn: () => {}, error: () => {} }

const USER = { user: 'u', session: 's' }
const SHOWN = { ...USER, shown: 3, current: 4, ip: '127.0.0.1', user_agent: null }
const MAIL = { mail: 'm', purpose: 'invitation', attempts: 1, age: 2 }
const SET = { stream: 's', jti: 'j' }

/** An event, and what it adds. */
type Case = [tell: () => void, ...added: string[]]

function of<N extends Parameters<typeof emit>[1]>(name: N, fields: EventFields<N>, ...added: string[]): Case {
  return [() => emit(LOG, name, fields), ...added]
}

const refused = (asked: EventName | undefined, code: string, added: string, limit?: string): Case =>
  of(
    'refused',
    { code, ...(asked && { asked }), ...(limit && { limit }) },
    `latchkey_refusals_total{code="${code}"}`,
    added
  )

const login = (outcome: string) => `latchkey_logins_total{outcome="${outcome}"}`
const refresh = (verdict: string) => `latchkey_refreshes_total{verdict="${verdict}"}`
const ended = (reason: string) => `latchkey_sessions_ended_total{reason="${reason}"}`
const mail = (outcome: string) => `latchkey_mails_total{outcome="${outcome}"}`
const signal = (outcome: string) => `latchkey_signals_total{outcome="${outcome}"}`

const CASES: Case[] = [
  of('login', USER, login('ok')),
  refused('login', 'invalid_credentials', login('wrong')),
  refused('login', 'email_unverified', login('unverified')),
  refused('login', 'account_disabled', login('disabled')),
  refused('login', 'too_many_requests', login('limited_account'), 'account'),
  refused('login', 'too_many_requests', login('limited_address'), 'address'),
  refused('login', 'invalid_input', login('invalid')),
  of(
    'failed',
    { code: 'unavailable', asked: 'login' },
    'latchkey_refusals_total{code="unavailable"}',
    login('unavailable')
  ),
  of(
    'failed',
    { code: 'internal_error', asked: 'login' },
    'latchkey_refusals_total{code="internal_error"}',
    login('failed')
  ),
  of('refused', { code: 'not_found' }, 'latchkey_refusals_total{code="not_found"}'),
  of('signup', { user: 'u' }, 'latchkey_signups_total{outcome="ok"}'),
  refused('signup', 'email_taken', 'latchkey_signups_total{outcome="taken"}'),
  refused('signup', 'signup_closed', 'latchkey_signups_total{outcome="closed"}'),
  of(
    'password_changed',
    { ...USER, opened: 'o' },
    'latchkey_password_changes_total{outcome="ok"}',
    ended('password_changed')
  ),
  refused('password_changed', 'invalid_credentials', 'latchkey_password_changes_total{outcome="wrong"}'),
  of('password_reset', { user: 'u' }, 'latchkey_password_resets_total{outcome="ok"}', ended('password_reset')),
  refused('password_reset', 'invalid_code', 'latchkey_password_resets_total{outcome="wrong"}'),
  of('refresh', { ...USER, shown: 3, current: 4 }, refresh('next')),
  of('refresh', { ...USER, shown: 3, current: 3 }, refresh('same')),
  of('refresh_converged', { ...USER, shown: 3, current: 4 }, refresh('again')),
  of('refresh_converged_elsewhere', SHOWN, refresh('again')),
  of('refresh_ahead', { ...SHOWN, shown: 9, current: 10 }, refresh('forward')),
  of('refresh_ahead', { ...SHOWN, shown: 9, current: 9 }, refresh('forward')),
  of('refresh_ahead', { ...SHOWN, shown: 99, current: 3 }, refresh('ahead')),
  of('refresh_reuse', SHOWN, refresh('theft'), ended('theft')),
  [() => count('refresh_dead', {}), refresh('dead')],
  refused(undefined, 'renewal_too_early', refresh('early')),
  of('logout', USER, ended('logout')),
  of('logout_everywhere', USER, ended('logout_everywhere')),
  of('session_ended', USER, ended('ended')),
  of('session_replaced', USER, ended('replaced')),
  of('session_evicted', USER, ended('evicted')),
  of('sessions_ended', USER, ended('admin')),
  of('user_disabled', USER, ended('disabled')),
  of('account_deleted', USER, ended('deleted')),
  [() => count('password_refused', {}), 'latchkey_password_jobs_refused_total'],
  of('keys_refused', { err: undefined }, 'latchkey_key_folder_errors_total'),
  of('mail_sent', MAIL, mail('sent')),
  of('mail_retry', { ...MAIL, codes: '' }, mail('retry')),
  of('mail_refused', { ...MAIL, codes: '' }, mail('refused')),
  of('mail_dropped', MAIL, mail('dropped')),
  of('mail_late', MAIL, mail('late')),
  of('signal_sent', { ...SET, age: 1 }, signal('accepted')),
  of('signal_retry', { ...SET, reason: '', failures: 1, age: 1 }, signal('retry')),
  of('signal_refused', { ...SET, code: '' }, signal('refused')),
  of('signals_given_up', { stream: 's', sets: 1 }, signal('given_up')),
  of('signals_lost', { stream: 's', records: 1 }, signal('lost')),
  [() => count('line_lost', {}), 'latchkey_log_lines_lost_total'],
  of('audit_left_out', { refusals: 1 }, 'latchkey_audit_refusals_lost_total{reason="left_out"}'),
  of('audit_failed', { waiting: 5, lost: 1, err: undefined }, 'latchkey_audit_refusals_lost_total{reason="lost"}'),
  of('socket_closed', { code: 4403, ms: 1 }, 'latchkey_socket_closes_total{code="4403"}'),
  of('socket_closed', { code: 4999, ms: 1 }, 'latchkey_socket_closes_total{code="other"}')
]

for (const [index, [tell, ...added]] of CASES.entries()) {
  t.test(`${index}: ${added.join(' and ')}`, async (t) => {
    const metrics = openMetrics({ groups: GROUPS, failed: () => {} })
    const unfollow = countEvents(metrics, ['common', ...GROUPS])
    const before = await valuesOf(metrics)
    tell()
    const after = await valuesOf(metrics)
    unfollow()
    const changed = Object.keys(after).filter((name) => after[name] !== (before[name] ?? 0))
    t.strictSame(changed.sort(), [...added].sort())
    for (const name of added) t.equal(after[name], (before[name] ?? 0) + 1)
  })
}

t.test('passwords, messages and deliveries are measured', async (t) => {
  const metrics = openMetrics({ groups: GROUPS, failed: () => {} })
  const unfollow = countEvents(metrics, GROUPS)
  count('password_worked', { wait: 0.02, work: 0.06 })
  count('messages_committed', { messages: 7 })
  count('events_delivered', { age: 0.03 })
  unfollow()
  count('messages_committed', { messages: 7 })
  t.match(await valuesOf(metrics), {
    latchkey_password_wait_seconds_sum: 0.02,
    latchkey_password_work_seconds_sum: 0.06,
    latchkey_messages_total: 7,
    'latchkey_message_batch_size_bucket{le="5"}': 0,
    'latchkey_message_batch_size_bucket{le="10"}': 1,
    latchkey_delivery_seconds_sum: 0.03
  })
})

t.test('every outcome of the list is one that an event can have', async (t) => {
  const told = new Set(CASES.flatMap(([, ...added]) => added))
  // Of each request with a password the same function makes them.
  const shared =
    /^latchkey_(signups|password_\w+)_total\{outcome="(limited_account|limited_address|invalid|unavailable|failed)"\}$/
  const listed = GROUPS.flatMap((group) =>
    Object.entries<Metric>(METRICS[group]).flatMap(([name, { type, labels = {} }]) => {
      const [label, values] = Object.entries(labels)[0] ?? []
      return type === 'counter' && Array.isArray(values) ? values.map((value) => `${name}{${label}="${value}"}`) : []
    })
  )
  const unknown = listed.filter((one) => !told.has(one) && !shared.test(one) && !one.includes('_closes_'))
  t.strictSame(unknown, [])
})
