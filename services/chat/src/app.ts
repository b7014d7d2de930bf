import type { Refusals } from '@latchkey/audit/refusals'
import type { Database } from '@latchkey/database/pool'
import { SHARE } from '@latchkey/database/time-limits'
import { createApp } from '@latchkey/frame/app'
import type { App } from '@latchkey/frame/app-type'
import { health } from '@latchkey/frame/health'
import { openapi } from '@latchkey/frame/openapi'
import type { RedisConnections } from '@latchkey/frame/redis'
import { ACCESS_TOKEN_SCHEME, accessCookieScheme } from '@latchkey/frame/security-schemes'
import type { Reader } from '@latchkey/metrics/open'
import { verifierReader } from '@latchkey/metrics/verifier'
import { tokenCookies } from '@latchkey/tokens/cookies'
import { createVerifier, fromHeaderOrCookie, type KeySet, type RevocationFeed } from '@latchkey/verifier'
import accessTokens from '@latchkey/verifier/fastify'
import type { FastifyBaseLogger } from 'fastify'
import type { ActionParts } from './actions/action.ts'
import type { Config } from './config.ts'
import { Lanes } from './events/lanes.ts'
import { graphql } from './graphql/graphql.ts'
import { Buckets } from './limits/buckets.ts'
import { Live } from './live/live.ts'
import { redisNotices } from './live/notices.ts'
import { socketReader } from './metrics.ts'
import { page } from './page/page.ts'
import { rest } from './rest/rest.ts'
import { tickets } from './rest/tickets.ts'
import { missingMigration } from './schema.ts'
import { sockets } from './sockets/sockets.ts'

/** What a user may change besides sending messages: join, rename, kick and the like. */
const CHANGES = { perMinute: 120, burst: 60 }

/** The parts of the app, which does not close them. */
export interface Parts {
  readonly keys: KeySet
  /** None: tokens are accepted until they expire. */
  readonly revocations?: RevocationFeed | undefined
  readonly database: Database
  readonly refusals: Pick<Refusals, 'add'>
  /** Records which sockets open and close; beside the refusals, so that neither keeps the other out. */
  readonly socketRecords: Pick<Refusals, 'add'>
  /** None: other instances are noticed by looking at the table. */
  readonly redis?: RedisConnections | undefined
  readonly logger: FastifyBaseLogger
  /** Gets what reads the metrics of the app; nobody by default. */
  readonly measure?: (reader: Reader) => void
}

const INFO = {
  title: 'Latchkey chat',
  description: 'Rooms and messages for whoever has an access token. It asks no auth service: it verifies offline.',
  version: '1'
}

/** Builds the chat: the verifier, what actions need, then its faces. */
export async function buildApp(
  config: Config,
  { keys, revocations, database, refusals, socketRecords, redis, logger, measure }: Parts
): Promise<App> {
  const { ISSUER: issuer, AUDIENCE: audience, CLOCK_LEEWAY: leeway, MESSAGES_PER_MINUTE: perMinute } = config
  const verifier = createVerifier({ issuer, audience, keys, leeway, ...(revocations && { revocations }) })
  const live = new Live({
    database,
    log: logger,
    interval: config.CATCH_UP_INTERVAL,
    ...(redis && { notices: (listener) => redisNotices(redis, listener) })
  })
  const { committed } = live
  const actionParts: ActionParts = {
    database,
    lanes: new Lanes(database, committed),
    committed,
    refusals,
    messages: new Buckets({ perMinute, burst: Math.max(1, Math.floor(perMinute / 3)) }),
    changes: new Buckets(CHANGES)
  }
  const longestAnswer = config.ANSWER_TIMEOUT * 1000 * SHARE.answer

  return createApp({ ...config, longestAnswer }, logger, async (app) => {
    const { access } = tokenCookies({ issuer, domain: config.COOKIE_DOMAIN })
    const schemes = { accessToken: ACCESS_TOKEN_SCHEME, accessCookie: accessCookieScheme(access.name) }
    openapi(app, INFO, schemes, { hasPage: true })
    page(app, { authUrl: config.AUTH_URL ?? issuer })
    await app.register(accessTokens, { verifier })
    app.addHook('onClose', () => live.close())
    rest(app, actionParts)
    const { COOKIE_DOMAIN: domain, CORS_ORIGINS: origins } = config
    tickets(app, { ...actionParts, verifier, tokenFrom: fromHeaderOrCookie({ issuer, cookieDomain: domain, origins }) })
    const shared = sockets(app, config, { verifier, live, actions: actionParts, records: socketRecords })
    measure?.(verifierReader({ keys, verifier, revocations }))
    measure?.(socketReader({ live, registry: shared.registry, redis }))
    graphql(app, config, { verifier, live, actions: actionParts, shared })
    health(app, async () => {
      if (app.closing.aborted) return 'the service stops'
      const missing = await missingMigration(database)
      if (missing) return `migration ${missing} is missing; run npm run migrate -w services/chat`
      return keys.unready() ?? revocations?.unready()
    })
  })
}
