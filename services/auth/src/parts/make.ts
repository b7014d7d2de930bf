import type { Refusals } from '@latchkey/audit/refusals'
import type { Database } from '@latchkey/database/pool'
import type { App } from '@latchkey/frame/app-type'
import type { Config } from '../config.ts'
import type { ActingOf } from '../guards/acting.ts'
import { createFindGenuine } from '../guards/genuine.ts'
import { createGuards } from '../guards/guards.ts'
import { createCookies } from '../guards/token-cookies.ts'
import { createVerifyToken } from '../guards/verify.ts'
import type { Keys } from '../keys/folder.ts'
import { limitRequests } from '../limits/requests.ts'
import type { Outbox } from '../mail/outbox.ts'
import type { HashPool } from '../passwords/hash-pool.ts'
import { createPasswords } from '../passwords/hashing.ts'
import { followHighestCost } from '../passwords/highest-cost.ts'
import { resourceParameter } from '../sessions/audience.ts'
import { createTokenIssuer } from '../sessions/tokens.ts'
import { findHighestCost } from '../users/find.ts'
import type { Parts } from './parts.ts'

/** What the process opens and closes; the parts use it. */
export interface Opened {
  readonly database: Database
  readonly keys: Keys
  readonly hashPool: HashPool
  readonly outbox: Outbox
  readonly refusals: Refusals
  readonly actingOf: ActingOf
  /** The present, in milliseconds since 1970. */
  readonly now: () => number
}

/** Makes the parts of the endpoints; does not close what it is given. */
export async function makeParts(
  app: App,
  config: Config,
  { database, keys, hashPool, outbox, refusals, actingOf, now }: Opened
): Promise<Parts> {
  const names = { issuer: config.ISSUER, audience: config.AUDIENCE, now }
  const rotation = config.REFRESH_TOKEN_ROTATION === 'on'
  const life = { idle: config.REFRESH_TOKEN_TTL, absolute: config.SESSION_MAX_AGE }
  const verifyToken = await createVerifyToken(app, { keys, settings: { ...names, leeway: config.CLOCK_LEEWAY } })
  const findGenuine = createFindGenuine(verifyToken)
  const cookies = createCookies({ issuer: config.ISSUER, domain: config.COOKIE_DOMAIN })
  const sites = { issuer: config.ISSUER, origins: config.CORS_ORIGINS ?? [] }
  return {
    database,
    actingOf,
    refusals,
    passwords: createPasswords(hashPool, {
      cost: config.BCRYPT_COST,
      queueTimeout: config.PASSWORD_TIMEOUT,
      highestCost: followHighestCost(() => findHighestCost(database), { configured: config.BCRYPT_COST, now })
    }),
    minLength: config.PASSWORD_MIN_LENGTH,
    tokens: createTokenIssuer(keys, { ...names, accessLife: config.ACCESS_TOKEN_TTL, rotation }),
    life,
    refresh: { rotation, reuseWindow: config.REFRESH_REUSE_WINDOW, idle: life.idle },
    resource: resourceParameter(names),
    guards: createGuards(app, { database, verifyToken, findGenuine, cookies, sites }),
    cookies,
    findGenuine,
    renewal: { window: config.COOKIE_RENEWAL_WINDOW, now },
    limit: await limitRequests(app, { perMinute: config.RATE_LIMIT_PER_MINUTE, redisUrl: config.REDIS_URL }),
    outbox,
    requireVerified: config.REQUIRE_VERIFIED_EMAIL === 'on',
    signup: config.SIGNUP
  }
}
