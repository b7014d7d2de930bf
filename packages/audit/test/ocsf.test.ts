import { randomUUID } from 'node:crypto'
import { CHAT_EVENTS } from '@latchkey/events/chat-events'
import type { Definition } from '@latchkey/events/definition'
import { EVENTS } from '@latchkey/events/events'
import t from 'tap'
import type { SealedRecord } from '../src/chain.ts'
import { ocsfLineOf } from '../src/ocsf.ts'

const [USER, ADMIN, SESSION] = [randomUUID(), randomUUID(), randomUUID()]

const record = (fields: Partial<SealedRecord>): SealedRecord => ({
  id: randomUUID(),
  at: '2026-01-31T12:00:00.123456Z',
  event: 'login',
  outcome: 'done',
  actor_kind: 'user',
  actor_id: USER,
  session_id: SESSION,
  target_kind: 'session',
  target_id: SESSION,
  request_id: randomUUID(),
  detail: '{}',
  person_id: USER,
  personal: '{"ip":"192.0.2.1","user_agent":"a browser"}',
  personal_salt: Buffer.alloc(16),
  personal_hash: Buffer.alloc(32),
  seq: 7,
  hash: Buffer.alloc(32, 1),
  ...fields
})

const mapped = (fields: Partial<SealedRecord>) => JSON.parse(ocsfLineOf(record(fields), 'a service') ?? 'null')

// https://schema.ocsf.io/1.3.0: class, activity, its name.
const EXPECTED: Record<string, [number, number, string]> = {
  login: [3002, 1, 'Logon'],
  logout: [3002, 2, 'Logoff'],
  logout_everywhere: [3002, 2, 'Logoff'],
  session_ended: [3002, 2, 'Logoff'],
  session_replaced: [3002, 2, 'Logoff'],
  session_evicted: [3002, 2, 'Logoff'],
  sessions_ended: [3002, 2, 'Logoff'],
  refresh_reuse: [3002, 2, 'Logoff'],
  refresh_converged_elsewhere: [3002, 99, 'refresh_converged_elsewhere'],
  refresh_ahead: [3002, 99, 'refresh_ahead'],
  signup: [3001, 1, 'Create'],
  user_invited: [3001, 1, 'Create'],
  user_enabled: [3001, 2, 'Enable'],
  password_changed: [3001, 3, 'Password Change'],
  password_reset: [3001, 4, 'Password Reset'],
  password_reset_asked: [3001, 4, 'Password Reset'],
  user_disabled: [3001, 5, 'Disable'],
  account_deleted: [3001, 6, 'Delete'],
  username_changed: [3001, 99, 'username_changed'],
  roles_changed: [3001, 99, 'roles_changed'],
  email_verified: [3001, 99, 'email_verified'],
  email_change_asked: [3001, 99, 'email_change_asked'],
  email_changed: [3001, 99, 'email_changed']
}
const NEITHER = [
  'refused',
  'admin_command',
  'key_added',
  'key_signs',
  'key_revoked',
  'audit_read',
  'audit_pruned',
  'audit_left_out',
  'stream_added',
  'stream_removed',
  'stream_verification',
  ...Object.entries<Definition>(CHAT_EVENTS).flatMap(([name, { audit }]) => (audit ? name : []))
]

t.test('each event of the audit log has its class and activity, or is in neither', (t) => {
  const audited = Object.entries(EVENTS).flatMap(([name, event]) => ('audit' in event ? name : []))
  t.strictSame(audited.sort(), [...Object.keys(EXPECTED), ...NEITHER].sort(), 'no event is forgotten')
  for (const [event, [class_uid, activity_id, activity_name]] of Object.entries(EXPECTED)) {
    const type_uid = class_uid * 100 + activity_id
    t.match(mapped({ event }), { class_uid, activity_id, activity_name, type_uid, category_uid: 3 }, event)
  }
  for (const event of [...NEITHER, 'toString', 'unheard of']) t.equal(mapped({ event }), null, event)
  t.end()
})

// What the base event, both classes, and the objects user, metadata, product and actor require.
function faultsOf(line: ReturnType<typeof mapped>): string[] {
  const numbers = ['activity_id', 'category_uid', 'class_uid', 'severity_id', 'status_id', 'time', 'type_uid']
  const { metadata, user, actor, service } = line
  const has = {
    version: metadata.version === '1.3.0',
    product: metadata.product.name === 'a service' && metadata.product.vendor_name === 'Latchkey',
    user: Boolean(user.uid ?? user.name),
    actor: !actor || Boolean(actor.user ?? actor.session ?? actor.app_name),
    'service or dst_endpoint': line.class_uid === 3001 || Boolean(service.name)
  }
  const missing = Object.entries(has).flatMap(([name, there]) => (there ? [] : name))
  return [...missing, ...numbers.filter((name) => !Number.isInteger(line[name]))]
}

const NOBODY = { actor_id: null, session_id: null, target_kind: null, target_id: null, person_id: null, personal: null }
const PEOPLE: Partial<SealedRecord>[] = [
  {},
  { ...NOBODY, actor_kind: 'stranger' },
  { ...NOBODY, actor_kind: 'operator', target_kind: 'user', target_id: USER },
  { actor_kind: 'admin', actor_id: ADMIN, target_kind: 'user', target_id: USER, person_id: ADMIN }
]

t.test('each line has what OCSF requires', (t) => {
  for (const event of Object.keys(EXPECTED)) {
    for (const outcome of ['done', 'refused', 'failed']) {
      const faults = PEOPLE.flatMap((who) => faultsOf(mapped({ event, outcome, ...who })))
      t.strictSame(faults, [], `${event} ${outcome}`)
    }
  }
  t.end()
})

t.test('who, whom, from where and why are in their places', (t) => {
  t.match(mapped({}), {
    time: Date.parse('2026-01-31T12:00:00.123Z'),
    user: { uid: USER, type_id: 1 },
    actor: { user: { uid: USER }, session: { uid: SESSION } },
    session: { uid: SESSION },
    src_endpoint: { ip: '192.0.2.1' },
    http_request: { user_agent: 'a browser' },
    metadata: { sequence: 7, event_code: 'login', original_time: '2026-01-31T12:00:00.123456Z' },
    unmapped: { hash: '01'.repeat(32), actor_kind: 'user' }
  })
  const refused = {
    outcome: 'refused',
    actor_kind: 'stranger',
    actor_id: null,
    session_id: null,
    target_kind: null,
    target_id: null
  }
  const detail = '{"code":"wrong_credentials","repeated":12}'
  t.match(mapped({ ...refused, detail, person_id: null }), {
    status: 'Failure',
    status_code: 'wrong_credentials',
    count: 12,
    severity_id: 2,
    user: { name: 'Unknown', type_id: 0 }
  })
  t.match(mapped({ ...refused, detail }), { user: { uid: USER } }, 'whom a stranger aimed at')
  const byAdmin = { actor_kind: 'admin', actor_id: ADMIN, target_kind: 'user', target_id: USER, person_id: ADMIN }
  t.match(mapped({ event: 'user_disabled', ...byAdmin }), {
    user: { uid: USER },
    actor: { user: { uid: ADMIN, type_id: 2 } }
  })
  const erased = mapped({ personal: null, personal_salt: null })
  t.notOk('src_endpoint' in erased || 'http_request' in erased)
  t.equal(mapped({ event: 'refresh_reuse' }).severity_id, 4)
  t.equal(mapped({ outcome: 'failed' }).severity_id, 3)
  t.end()
})
