import { faultOfDatabaseUrl } from '@latchkey/database/url'
import { ConfigError, type FrameConfig, frameSettings, oldNames, readConfig } from '@latchkey/frame/config'
import { contradictions } from '@latchkey/frame/contradictions'
import { cookieDomain, cookieDomainDoubt } from '@latchkey/frame/cookie-domain'
import { managementSettings } from '@latchkey/frame/management-settings'
import { faultOfRedisUrl } from '@latchkey/frame/redis-url'
import { choice, duration, integer, lengthOf, list, text, url } from '@latchkey/frame/settings'
import { type Static, Type } from 'typebox'
import { faultsOfFeed, feedSettings } from './feed/settings.ts'
import { faultsOfMail, mailSettings } from './mail/settings.ts'
import { passwordSettings } from './passwords/settings.ts'

/** In seconds. */
const DAY = 86_400

/** The setting that the service and its commands share. */
const databaseUrl = text({
  file: true,
  check: faultOfDatabaseUrl,
  description:
    'The primary PostgreSQL, as in postgres://user:password@host:5432/name; characters such as # / ? % @ are percent-encoded. Never a replica: it may lag behind a logout. docs/database.md has TLS, Unix sockets and poolers.'
})

const AUDIENCE =
  'Who the access tokens are for: their aud. With commas between several names it becomes an array; a resource service asks for one of them. The ISSUER cannot be one: tokens that are for it alone open administration.'

/** The settings of the migration. The service reads only the first: the owner can alter the tables. */
export const migrationSettings = Type.Object({
  DATABASE_URL: databaseUrl,
  MIGRATION_DATABASE_URL: Type.Optional(
    text({
      file: true,
      check: faultOfDatabaseUrl,
      description:
        'The same database with the owner of its tables, without a pooler. Only npm run migrate uses it: it makes the user of DATABASE_URL, if missing, who may only read and write rows. Unset, DATABASE_URL migrates, and the service could alter its tables.'
    })
  ),
  AUDIT_RETENTION: duration({
    minimum: 7 * DAY,
    maximum: 3650 * DAY,
    zero: true,
    default: '400d',
    description:
      'How long the audit log keeps a record; 0 is for ever. npm run migrate stores it, so that a service that was taken over cannot shorten it. Older records are deleted for ever within a day.'
  })
})

const KEY_LEAD =
  'How long a new key is published before it signs; at least twice JWKS_PUBLISH_AGE, so that every verifier and every copy of the key folder has it by then.'

/** The settings of the auth service, for the test that compares them with `.env.example`. */
export const authSettings = Type.Object({
  ...frameSettings,
  ...managementSettings,
  PORT: integer({ minimum: 0, maximum: 65535, default: '9090', description: 'Port to listen on; 0 is any free one.' }),
  ISSUER: url({
    description:
      'Name of this service: the iss of every token, compared byte for byte, and the base of its published URLs. Another one makes all tokens invalid.'
  }),
  AUDIENCE: list({ description: AUDIENCE }),
  KEYS_DIR: text({
    description: 'Folder of the signing keys, as scripts/generate-keys.sh makes it. Whoever reads it can sign tokens.'
  }),
  DATABASE_URL: databaseUrl,
  DATABASE_POOL_SIZE: integer({
    minimum: 1,
    maximum: 1000,
    default: '10',
    description:
      'Most connections to the database, for each instance; a request that finds none free waits for eight tenths of ANSWER_TIMEOUT.'
  }),
  DATABASE_PREPARE: choice(['on', 'off'], {
    default: 'on',
    description:
      'on: each connection plans a statement once. off: for a pooler in transaction mode, as PgBouncer; each statement is a transaction that sets its own limits, which takes two round trips more.'
  }),
  ANSWER_TIMEOUT: duration({
    maximum: 300,
    minimum: 0.05,
    default: '3s',
    description:
      'Longest time of an answer of any route, or PASSWORD_TIMEOUT if that is longer. The service answers 503 after nine tenths of it. A wait for a connection or a silent server ends after eight tenths, a statement in PostgreSQL after seven.'
  }),
  ACCESS_TOKEN_TTL: duration({
    maximum: 7 * DAY,
    minimum: 1,
    default: '15m',
    description: 'Life of an access token, and so the longest time that resource services believe one after a logout.'
  }),
  REFRESH_TOKEN_TTL: duration({
    maximum: 3650 * DAY,
    minimum: 1,
    default: '30d',
    description: 'Life of a refresh token: a session that is not used for so long ends.'
  }),
  COOKIE_RENEWAL_WINDOW: duration({
    maximum: 7 * DAY,
    default: '30s',
    description:
      'POST /refresh renews the cookies only when the access cookie has at most so much of its life left, or is gone; before, the answer is 400 renewal_too_early.'
  }),
  COOKIE_DOMAIN: cookieDomain(
    'Domain of the access cookie, as in example.com, so that resource services on hosts of that domain get it; set it there too. Every host of the domain can then read the access token and overwrite the cookie. Unset, this host alone gets it. The refresh cookie never has a domain.'
  ),
  REFRESH_TOKEN_ROTATION: choice(['on', 'off'], {
    default: 'on',
    description:
      'on: each refresh gives a new refresh token, and one that is shown again later ends its session. off: one refresh token a session, good until SESSION_MAX_AGE while it is used within REFRESH_TOKEN_TTL, and no theft is noticed.'
  }),
  REFRESH_REUSE_WINDOW: duration({
    maximum: 600,
    default: '30s',
    description:
      'How long a superseded refresh token still answers its successor, for parallel tabs and lost answers; 0s is strict.'
  }),
  SESSION_MAX_AGE: duration({
    maximum: 3650 * DAY,
    minimum: 1,
    default: '90d',
    description:
      'Longest life of a session, however much it is used, and also across changes of the password; then the user logs in again.'
  }),
  CLOCK_LEEWAY: duration({
    maximum: 300,
    default: '5s',
    description:
      'How far the clocks of services may differ when times of tokens are checked; tokens are accepted for this much longer.'
  }),
  ...passwordSettings,
  RATE_LIMIT_PER_MINUTE: integer({
    minimum: 0,
    maximum: 1_000_000,
    default: '100',
    description:
      'Requests a minute to the routes that hash a password or look at a code (/signup, /login, /signin, /verify-email, /verify-email/resend, /forgot-password, /reset-password, /change-password, /update-email, DELETE /me) from one client address (IPv6: one /64), all together, for each instance or, with REDIS_URL, for all of them; then the answer is 429. 0 is no limit.'
  }),
  REDIS_URL: Type.Optional(
    text({
      file: true,
      check: faultOfRedisUrl,
      description:
        'A Redis or Valkey that the instances count requests in together, as in redis://:password@host:6379. Unset, and while it is away, each instance counts for itself.'
    })
  ),
  JWKS_PUBLISH_AGE: duration({
    minimum: 1,
    default: '5m',
    description:
      'max-age of the published key set: how long verifiers may keep it before they ask again and learn of a new or revoked key.'
  }),
  KEY_LEAD: duration({ maximum: 7 * DAY, minimum: 2, default: '11m', description: KEY_LEAD }),
  ...feedSettings,
  ...mailSettings,
  SIGNUP: choice(['open', 'invited', 'closed'], {
    default: 'open',
    description:
      'Who may have an account. open: everybody signs up. invited: administrators invite (POST /users), and /signup is refused. closed: both are refused; npm run admin still invites and imports.'
  })
})

/** The settings of the auth service, named as in the environment; durations are seconds. */
export type Config = FrameConfig & Static<typeof authSettings>

/** The new names of renamed settings, by the old ones. */
export const RENAMED = { DATABASE_TIMEOUT: 'ANSWER_TIMEOUT', HASH_QUEUE_TIMEOUT: 'PASSWORD_TIMEOUT' }

/** Durations that contradict each other. */
const ORDERS = [
  ['ACCESS_TOKEN_TTL', 'REFRESH_TOKEN_TTL', 'an access token outlives the refresh token that renews it'],
  ['ACCESS_TOKEN_TTL', 'SESSION_MAX_AGE', 'an access token outlives its session'],
  [
    'REFRESH_REUSE_WINDOW',
    'REFRESH_TOKEN_TTL',
    'a superseded refresh token is accepted until its end, and no theft is noticed'
  ]
] as const

/** Reads the settings. Throws a ConfigError that names every wrong one. */
export function authConfig(env: Readonly<Record<string, string | undefined>>): Readonly<Config> {
  const config = readConfig(authSettings, env, oldNames(RENAMED, env))
  const problems = [
    config.KEY_LEAD < 2 * config.JWKS_PUBLISH_AGE && `KEY_LEAD must be at least twice JWKS_PUBLISH_AGE. ${KEY_LEAD}`,
    config.AUDIENCE.includes(config.ISSUER) && `AUDIENCE must not name the ISSUER. ${AUDIENCE}`,
    ...faultsOfFeed(config),
    ...faultsOfMail(config)
  ].filter((problem) => problem !== false)
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

/** Returns a line for the log for each setting that contradicts another. */
export function doubts(config: Config): string[] {
  const { COOKIE_RENEWAL_WINDOW: window, ACCESS_TOKEN_TTL: life } = config
  const always = `COOKIE_RENEWAL_WINDOW (${lengthOf(window)}) is not shorter than ACCESS_TOKEN_TTL (${lengthOf(life)}): it is never too early to renew the cookies, so tabs that renew one after another each rotate the refresh token`
  const ofCookies = [window >= life ? always : undefined, cookieDomainDoubt(config)]
  return [...contradictions(config, ORDERS), ...ofCookies.filter((line) => line !== undefined)]
}
