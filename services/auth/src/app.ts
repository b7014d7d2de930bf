import { type App, createApp } from '@latchkey/service/app'
import { health } from '@latchkey/service/health'
import { openapi } from '@latchkey/service/openapi'
import type { FastifyBaseLogger } from 'fastify'
import { changePassword } from './accounts/change-password.ts'
import { deleteMe } from './accounts/delete-me.ts'
import type { HashPool } from './passwords/hash-pool.ts'
import { followHighestCost } from './passwords/highest-cost.ts'
import { me } from './accounts/me.ts'
import { createPasswords } from './passwords/hashing.ts'
import { signup } from './accounts/signup.ts'
import { updateUsername } from './accounts/update-username.ts'
import { findHighestCost } from './users/users.ts'
import type { Config } from './config.ts'
import type { Database } from './database.ts'
import type { Keys } from './keys/folder.ts'
import { jwks } from './well-known/jwks.ts'
import { limitRequests } from './limits/requests.ts'
import { metadata } from './well-known/metadata.ts'
import { missingMigration } from './schema.ts'
import { resourceParameter } from './sessions/audience.ts'
import { endSession } from './login/end-session.ts'
import { createGuards } from './guards/guards.ts'
import { listSessions } from './login/list-sessions.ts'
import { login } from './login/login.ts'
import { logout } from './login/logout.ts'
import { logoutEverywhere } from './login/logout-everywhere.ts'
import { refreshToken } from './login/refresh-token.ts'
import { createTokenIssuer } from './sessions/tokens.ts'
import { PART } from './time-limits.ts'
import { changeUsers } from './administration/change.ts'
import { listUsers } from './administration/list.ts'

/** What the app is made of; it closes none of it. */
export interface Parts {
  readonly database: Database
  readonly keys: Keys
  /** Why the keys cannot serve now, if they cannot; by default they always can. */
  readonly keysUnready?: () => Promise<string | undefined>
  readonly hashPool: HashPool
  readonly logger: FastifyBaseLogger
  /** The present, in milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number
}

/** Builds the auth service: its parts, then one line an endpoint. */
export async function buildApp(
  config: Config,
  { database, keys, keysUnready = async () => undefined, hashPool, logger, now = Date.now }: Parts
): Promise<App> {
  const settings = { issuer: config.ISSUER, audience: config.AUDIENCE, now }
  const resource = resourceParameter(settings)
  const rotation = config.REFRESH_TOKEN_ROTATION === 'on'
  const tokens = createTokenIssuer(keys, { ...settings, accessLife: config.ACCESS_TOKEN_TTL, rotation })
  const passwords = createPasswords(hashPool, {
    cost: config.BCRYPT_COST,
    queueTimeout: config.HASH_QUEUE_TIMEOUT,
    highestCost: followHighestCost(() => findHighestCost(database), { configured: config.BCRYPT_COST, now })
  })
  const life = { idle: config.REFRESH_TOKEN_TTL, most: config.SESSION_MAX_AGE }
  const refresh = { rotation, reuseWindow: config.REFRESH_REUSE_WINDOW, idle: life.idle }
  const minLength = config.PASSWORD_MIN_LENGTH
  const maxAge = config.JWKS_PUBLISH_AGE
  const longestAnswer = Math.max(config.DATABASE_TIMEOUT, config.HASH_QUEUE_TIMEOUT) * 1000 * PART.answer

  return createApp({ ...config, longestAnswer, usesTls: config.ISSUER.startsWith('https:') }, logger, async (app) => {
    await openapi(app, {
      title: 'Latchkey auth service',
      description: 'Owns accounts and sessions, signs access and refresh tokens.',
      version: '1'
    })
    const guards = await createGuards(app, { keys, database, settings: { ...settings, leeway: config.CLOCK_LEEWAY } })
    const limit = await limitRequests(app, {
      perMinute: config.RATE_LIMIT_PER_MINUTE,
      redisUrl: config.REDIS_URL
    })

    signup(app, { database, passwords, minLength, limit })
    login(app, { database, passwords, tokens, guards, life, limit, resource })
    refreshToken(app, { database, tokens, guards, settings: refresh, resource })
    changePassword(app, { database, passwords, tokens, guards, limit, minLength, idle: life.idle })
    updateUsername(app, { database, guards })
    me(app, { guards })
    deleteMe(app, { database, passwords, guards, limit })
    listSessions(app, { database, guards })
    endSession(app, { database, guards })
    logout(app, { database, guards })
    logoutEverywhere(app, { database, guards })
    listUsers(app, { database, guards })
    changeUsers(app, { database, guards })
    jwks(app, { access: keys.access, maxAge })
    metadata(app, { issuer: config.ISSUER, maxAge })
    health(app, async () => {
      const missing = await missingMigration(database)
      if (missing) return `migration ${missing} is missing; run npm run migrate -w services/auth`
      return keysUnready()
    })
  })
}
