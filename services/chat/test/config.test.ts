import { readFile } from 'node:fs/promises'
import { ConfigError } from '@latchkey/frame/config'
import { expectedEntries, readEntries } from '@latchkey/testing/env-example'
import t from 'tap'
import { Type } from 'typebox'
import { chatConfig, chatSettings, doubts, migrationSettings } from '../src/config.ts'

const LEAST = {
  ISSUER: 'https://auth.example.com',
  AUDIENCE: 'latchkey',
  JWKS_URL: 'https://auth.example.com/jwks.json',
  DATABASE_URL: 'postgres://user@host/chat'
}

function problems(env: Record<string, string>): readonly string[] {
  try {
    chatConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

t.test('issuer, audience, keys and a database are enough; the rest has defaults', async (t) => {
  t.same(chatConfig(LEAST), {
    ...LEAST,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: 8090,
    KEEP_ALIVE_TIMEOUT: 72,
    LOG_LEVEL: 'info',
    MANAGEMENT_HOST: '127.0.0.1',
    BUILD_COMMIT: 'unknown',
    JWKS_MIN_AGE: 30,
    JWKS_MAX_AGE: 600,
    JWKS_STALE_AGE: 86_400,
    JWKS_COOLDOWN: 5,
    JWKS_TIMEOUT: 3,
    CLOCK_LEEWAY: 5,
    FEED_BOUND: 60,
    DATABASE_POOL_SIZE: 10,
    DATABASE_PREPARE: 'on',
    ANSWER_TIMEOUT: 3,
    MESSAGES_PER_MINUTE: 100,
    SOCKETS_PER_USER: 20,
    SOCKETS_MAX: 10_000,
    EXPIRY_WARNING: 60,
    HEARTBEAT: 25,
    DRAIN_TIME: 5,
    CATCH_UP_INTERVAL: 1
  })
})

/** Values that are refused, by the setting. */
const MALFORMED: Record<string, string[]> = {
  PORT: ['-1', '65536', 'http'],
  DATABASE_URL: ['mysql://host/chat', 'chat'],
  DATABASE_POOL_SIZE: ['0', '1001', 'ten'],
  DATABASE_PREPARE: ['yes'],
  ANSWER_TIMEOUT: ['0s', '49ms', '3'],
  REDIS_URL: ['http://redis', 'redis', 'redis://redis?db=1'],
  AUTH_URL: ['auth.example.com', 'https://auth.example.com?x', 'ftp://auth.example.com'],
  MESSAGES_PER_MINUTE: ['0', '100001', '1.5'],
  SOCKETS_PER_USER: ['0'],
  SOCKETS_MAX: ['0'],
  EXPIRY_WARNING: ['0s', '2h', '60'],
  HEARTBEAT: ['0s', '6m'],
  DRAIN_TIME: ['7s', '5'],
  CATCH_UP_INTERVAL: ['0s', '99ms', '2m']
}

t.test('a malformed value is refused by the name of its setting, and not repeated', async (t) => {
  for (const [name, values] of Object.entries(MALFORMED)) {
    for (const value of values) {
      const found = problems({ ...LEAST, [name]: value })
      t.match(found, [new RegExp(`^${name} `)], `${name}=${value}`)
      t.equal(found.length, 1, `${name}=${value}`)
    }
  }
})

t.test('every problem is named at once, and what contradicts is told', async (t) => {
  const named = problems({ PORT: 'http' }).map((line) => line.split(' ')[0])
  t.same(named.sort(), ['AUDIENCE', 'DATABASE_URL', 'ISSUER', 'JWKS_URL', 'PORT'])
  t.match(doubts(chatConfig({ ...LEAST, JWKS_MIN_AGE: '11m' })), [/^JWKS_MIN_AGE \(11m\) is longer/])
})

t.test('.env.example says of every setting what the schemas say', async (t) => {
  const file = await readFile(new URL('../.env.example', import.meta.url), 'utf8')
  const all = Type.Object({ ...chatSettings.properties, ...migrationSettings.properties })
  t.same(readEntries(file), expectedEntries(all))
})
