import { readBacklog as readAuditBacklog } from '@latchkey/audit/backlog'
import type { Refusals } from '@latchkey/audit/refusals'
import type { Database } from '@latchkey/database/pool'
import type { App } from '@latchkey/frame/app-type'
import { databaseReader } from '@latchkey/metrics/database'
import type { Reader } from '@latchkey/metrics/open'
import { type ManagementConfig, serveMetrics } from '@latchkey/metrics/serve'
import { KINDS } from './keys/judgement.ts'
import type { LiveKeys } from './keys/live-keys.ts'
import { readBacklog } from './mail/backlog.ts'
import type { OpenMail } from './mail/open.ts'
import type { HashPool } from './passwords/hash-pool.ts'

/** What the auth service measures. */
interface Measured {
  readonly app: App
  readonly database: Database
  readonly refusals: Refusals
  readonly keys: LiveKeys
  readonly hashPool: HashPool
  readonly mail: OpenMail
}

/** Measures the auth service, and listens on its management port. What is counted by events is in packages/metrics. */
export async function serveAuthMetrics(config: ManagementConfig, measured: Measured): Promise<void> {
  const { app, database, refusals } = measured
  await serveMetrics(config, {
    app,
    groups: ['database', 'auth'],
    readers: [
      databaseReader({ database, refusals, backlog: () => readAuditBacklog(database) }),
      passwordReader(measured),
      keyReader(measured),
      mailReader(measured),
      serviceReader(measured)
    ]
  })
}

function passwordReader({ hashPool }: Measured): Reader {
  return (set) => {
    const { threads, running, waiting } = hashPool.counts()
    set('latchkey_password_threads', threads)
    set('latchkey_password_engine_info', 1, { engine: hashPool.engine })
    set('latchkey_password_jobs', running, { state: 'running' })
    set('latchkey_password_jobs', waiting, { state: 'waiting' })
  }
}

function keyReader({ keys }: Measured): Reader {
  return (set) => {
    const states = keys.states()
    for (const { kind, kid, slot, state, firstSeen, signsFrom } of states) {
      set('latchkey_signing_key_info', 1, { kind, kid, slot, state })
      if (firstSeen !== undefined) set('latchkey_signing_key_first_seen_timestamp_seconds', firstSeen, { kind, kid })
      if (signsFrom !== undefined) set('latchkey_signing_key_signs_from_timestamp_seconds', signsFrom, { kind, kid })
    }
    for (const kind of KINDS) {
      const signs = states.some((key) => key.kind === kind && key.state === 'signs')
      set('latchkey_keys_signing', Number(signs), { kind })
    }
    set('latchkey_key_folder_last_read_timestamp_seconds', keys.readAt / 1000)
  }
}

function mailReader({ database, mail }: Measured): Reader {
  return async (set) => {
    set('latchkey_mail_paused', Number(mail.isPaused()))
    const { mails, age } = await readBacklog(database)
    set('latchkey_mail_outbox', mails)
    set('latchkey_mail_oldest_seconds', age)
  }
}

function serviceReader({ app }: Measured): Reader {
  return (set) => {
    const store = app.requestsCountedIn()
    set('latchkey_rate_limit_store', Number(store === 'shared'), { store: 'shared' })
    set('latchkey_rate_limit_store', Number(store === 'own'), { store: 'own' })
    set('latchkey_feed_questions_waiting', app.feed?.waiting ?? 0)
  }
}
