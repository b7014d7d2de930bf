import type { AuditedName } from '@latchkey/events/events'
import type { SealedRecord } from './chain.ts'

// The Open Cybersecurity Schema Framework, version 1.3.0: https://schema.ocsf.io/1.3.0
const VERSION = '1.3.0'
const IAM = 3
const ACCOUNT_CHANGE = 3001
const AUTHENTICATION = 3002

const SEVERITY = { informational: 1, low: 2, medium: 3, high: 4 } as const

/** What an event is in OCSF: its class and activity, and how severe it is when it was done. */
interface Mapping {
  readonly class_uid: number
  readonly activity_id: number
  readonly severity?: keyof typeof SEVERITY
}

const auth = (activity_id: number, severity?: Mapping['severity']): Mapping =>
  severity ? { class_uid: AUTHENTICATION, activity_id, severity } : { class_uid: AUTHENTICATION, activity_id }
const account = (activity_id: number): Mapping => ({ class_uid: ACCOUNT_CHANGE, activity_id })

const [LOGON, LOGOFF] = [1, 2]
const [CREATE, ENABLE, PASSWORD_CHANGE, PASSWORD_RESET, DISABLE, DELETE] = [1, 2, 3, 4, 5, 6]
const OTHER = 99

/** The events that fit one of both classes. */
const MAPPINGS: Partial<Record<AuditedName, Mapping>> = {
  login: auth(LOGON),
  logout: auth(LOGOFF),
  logout_everywhere: auth(LOGOFF),
  session_ended: auth(LOGOFF),
  session_replaced: auth(LOGOFF),
  session_evicted: auth(LOGOFF),
  sessions_ended: auth(LOGOFF),
  refresh_reuse: auth(LOGOFF, 'high'),
  refresh_converged_elsewhere: auth(OTHER, 'medium'),
  refresh_ahead: auth(OTHER, 'high'),
  signup: account(CREATE),
  user_invited: account(CREATE),
  user_enabled: account(ENABLE),
  password_changed: account(PASSWORD_CHANGE),
  password_reset_asked: account(PASSWORD_RESET),
  password_reset: account(PASSWORD_RESET),
  user_disabled: account(DISABLE),
  account_deleted: account(DELETE),
  username_changed: account(OTHER),
  roles_changed: account(OTHER),
  email_verified: account(OTHER),
  email_change_asked: account(OTHER),
  email_changed: account(OTHER)
}

const NAMES: Readonly<Record<string, string>> = {
  [`${AUTHENTICATION}/${LOGON}`]: 'Logon',
  [`${AUTHENTICATION}/${LOGOFF}`]: 'Logoff',
  [`${ACCOUNT_CHANGE}/${CREATE}`]: 'Create',
  [`${ACCOUNT_CHANGE}/${ENABLE}`]: 'Enable',
  [`${ACCOUNT_CHANGE}/${PASSWORD_CHANGE}`]: 'Password Change',
  [`${ACCOUNT_CHANGE}/${PASSWORD_RESET}`]: 'Password Reset',
  [`${ACCOUNT_CHANGE}/${DISABLE}`]: 'Disable',
  [`${ACCOUNT_CHANGE}/${DELETE}`]: 'Delete'
}

/**
 * A record as one line of OCSF 1.3.0: of the class Authentication (3002) or Account Change (3001). Nothing for a record
 * that is in neither. `product` is the service.
 *
 * Both classes require a user; of somebody unknown it is the one named `Unknown`. What has no place is in `unmapped`.
 */
export function ocsfLineOf(record: SealedRecord, product: string): string | undefined {
  const mapping = Object.hasOwn(MAPPINGS, record.event) ? MAPPINGS[record.event as AuditedName] : undefined
  if (!mapping) return undefined
  const { class_uid, activity_id } = mapping
  const detail = JSON.parse(record.detail)
  const isDone = record.outcome === 'done'
  return JSON.stringify({
    class_uid,
    class_name: class_uid === AUTHENTICATION ? 'Authentication' : 'Account Change',
    category_uid: IAM,
    category_name: 'Identity & Access Management',
    activity_id,
    activity_name: NAMES[`${class_uid}/${activity_id}`] ?? record.event,
    type_uid: class_uid * 100 + activity_id,
    severity_id: severityOf(record, mapping),
    time: Date.parse(record.at),
    status_id: isDone ? 1 : 2,
    status: isDone ? 'Success' : 'Failure',
    ...(typeof detail?.code === 'string' && { status_code: detail.code }),
    ...(typeof detail?.repeated === 'number' && { count: detail.repeated }),
    user: userOf(record),
    ...actorOf(record),
    ...(class_uid === AUTHENTICATION && { service: { name: product }, ...sessionOf(record) }),
    ...clientOf(record),
    metadata: {
      version: VERSION,
      product: { name: product, vendor_name: 'Latchkey' },
      uid: record.id,
      sequence: record.seq,
      event_code: record.event,
      original_time: record.at,
      ...(record.request_id !== null && { correlation_uid: record.request_id })
    },
    unmapped: { outcome: record.outcome, actor_kind: record.actor_kind, detail, hash: record.hash.toString('hex') }
  })
}

function severityOf({ outcome }: SealedRecord, { severity = 'informational' }: Mapping): number {
  if (outcome === 'failed') return SEVERITY.medium
  return outcome === 'refused' ? SEVERITY.low : SEVERITY[severity]
}

const [UNKNOWN, REGULAR, ADMIN] = [0, 1, 2]

function userOf({ target_kind, target_id, person_id, actor_kind, actor_id }: SealedRecord): object {
  const own = actor_kind === 'user' ? actor_id : null
  const uid = (target_kind === 'user' ? target_id : null) ?? own ?? person_id
  return uid === null ? { name: 'Unknown', type_id: UNKNOWN } : { uid, type_id: REGULAR }
}

function actorOf({ actor_kind, actor_id, session_id }: SealedRecord): object {
  if (actor_kind === 'operator') return { actor: { app_name: 'npm run admin' } }
  if (actor_kind === 'service') return { actor: { app_name: 'Latchkey' } }
  if (actor_id === null) return {}
  const user = { uid: actor_id, type_id: actor_kind === 'admin' ? ADMIN : REGULAR }
  return { actor: { user, ...(session_id !== null && { session: { uid: session_id } }) } }
}

function sessionOf({ target_kind, target_id, session_id }: SealedRecord): object {
  const uid = (target_kind === 'session' ? target_id : null) ?? session_id
  return uid === null ? {} : { session: { uid } }
}

function clientOf({ personal }: SealedRecord): object {
  const { ip, user_agent } = (personal && JSON.parse(personal)) || {}
  return {
    ...(typeof ip === 'string' && { src_endpoint: { ip } }),
    ...(typeof user_agent === 'string' && { http_request: { user_agent } })
  }
}
