import { faultOfDatabaseUrl } from '@latchkey/database/url'
import { ConfigError, type FrameConfig, frameSettings, readConfig } from '@latchkey/frame/config'
import { contradictions } from '@latchkey/frame/contradictions'
import { cookieDomain, cookieDomainDoubt } from '@latchkey/frame/cookie-domain'
import { faultsOfFeed, feedSettings } from '@latchkey/frame/feed-settings'
import { faultsOfIssuer, ISSUER_ORDERS, issuerSettings, missingIssuer } from '@latchkey/frame/issuer-settings'
import { managementSettings } from '@latchkey/frame/management-settings'
import { faultOfRedisUrl } from '@latchkey/frame/redis-url'
import { choice, duration, integer, text, url } from '@latchkey/frame/settings'
import { type Static, Type } from 'typebox'

/** In seconds. */
const DAY = 86_400

/** The setting that the service and its migration share. */
const databaseUrl = text({
  file: true,
  check: faultOfDatabaseUrl,
  description:
    'The primary PostgreSQL with the rooms, as in postgres://user:password@host:5432/chat; characters such as # / ? % @ are percent-encoded. A database of its own, not that of the auth service. Never a replica: what was just sent may not be there yet. docs/database.md has TLS, Unix sockets and poolers.'
})

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
  ADMIN_DATABASE_URL: Type.Optional(
    text({
      file: true,
      check: faultOfDatabaseUrl,
      description:
        'Another database of the same server, with a user who may make users and databases. With it, npm run migrate makes the database of the chat and its two users where they are missing. Then whoever has no right of their own to CONNECT is let into neither database. Unset, they must be there.'
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

/** The settings of the chat, for the test that compares them with `.env.example`. */
export const chatSettings = Type.Object({
  ...frameSettings,
  ...managementSettings,
  PORT: integer({ minimum: 0, maximum: 65535, default: '8090', description: 'Port to listen on; 0 is any free one.' }),
  ...issuerSettings,
  COOKIE_DOMAIN: cookieDomain(
    'COOKIE_DOMAIN of the auth service: it decides the name of the access cookie with which POST /tickets lets the page open a socket. Unset, the cookie reaches this service only if a browser sees both under one host.'
  ),
  ...feedSettings,
  DATABASE_URL: databaseUrl,
  DATABASE_POOL_SIZE: integer({
    minimum: 1,
    maximum: 1000,
    default: '10',
    description:
      'Most connections to the database, for each instance; what finds none free waits for eight tenths of ANSWER_TIMEOUT.'
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
      'Longest time of an answer. The service answers 503 after nine tenths of it. A wait for a connection or a silent server ends after eight tenths, a statement in PostgreSQL after seven.'
  }),
  REDIS_URL: Type.Optional(
    text({
      file: true,
      check: faultOfRedisUrl,
      description:
        'A Redis or Valkey by which instances tell each other that a room has news, as in redis://:password@host:6379. It carries no content. Unset, and while it is away, each instance looks every CATCH_UP_INTERVAL.'
    })
  ),
  AUTH_URL: Type.Optional(
    url({
      description:
        'Where the page of the chat finds the auth service, as browsers reach it. Both must be of one site, because the page signs in by cookies. Unset, it is the ISSUER.'
    })
  ),
  MESSAGES_PER_MINUTE: integer({
    minimum: 1,
    maximum: 100_000,
    default: '100',
    description:
      'Messages of one user a minute, for each instance; a third of them may come at once. More get 429 too_many_requests.'
  }),
  SOCKETS_PER_USER: integer({
    minimum: 1,
    maximum: 10_000,
    default: '20',
    description: 'Open sockets of one user, for each instance; one more is closed with 1008 too_many_sockets.'
  }),
  SOCKETS_MAX: integer({
    minimum: 1,
    maximum: 1_000_000,
    default: '10000',
    description: 'Open sockets of an instance; a handshake beyond gets 503.'
  }),
  EXPIRY_WARNING: duration({
    minimum: 1,
    maximum: 3600,
    default: '60s',
    description: 'How long before its token expires a socket is told so, that it may send a new one.'
  }),
  HEARTBEAT: duration({
    minimum: 1,
    maximum: 300,
    default: '25s',
    description:
      'Silence after which a socket is asked whether it is there; after as much again it is cut. Set it below the time after which proxies cut silent connections, often 60s.'
  }),
  DRAIN_TIME: duration({
    maximum: 6,
    default: '5s',
    description: 'At a stop, the time over which sockets are told to come back, so that not all come back at once.'
  }),
  CATCH_UP_INTERVAL: duration({
    minimum: 0.1,
    maximum: 60,
    default: '1s',
    description:
      'How often rooms with listeners are looked at: the longest delay without Redis, or if a notice is lost.'
  })
})

/** The settings of the chat, named as in the environment; durations are seconds. */
export type Config = FrameConfig & Static<typeof chatSettings>

/** Reads the settings. Throws a ConfigError that names every wrong one. */
export function chatConfig(env: Readonly<Record<string, string | undefined>>): Readonly<Config> {
  const problems = missingIssuer(env)
  const config = readConfig(chatSettings, env, problems)
  problems.push(...faultsOfIssuer(config), ...faultsOfFeed(config))
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

/** Returns a line for the log for each setting that contradicts another. */
export function doubts(config: Config): string[] {
  const ofCookies = cookieDomainDoubt(config)
  return [...contradictions(config, ISSUER_ORDERS), ...(ofCookies ? [ofCookies] : [])]
}
