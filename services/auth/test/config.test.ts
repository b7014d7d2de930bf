import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ConfigError, readConfig } from '@latchkey/frame/config'
import { expectedEntries, readEntries } from '@latchkey/testing/env-example'
import t from 'tap'
import { authConfig, authSettings, doubts, migrationSettings } from '../src/config.ts'

const LEAST = {
  ISSUER: 'https://auth.example.com',
  AUDIENCE: 'latchkey',
  KEYS_DIR: './keys',
  DATABASE_URL: 'postgres://user@host/name'
}

function problems(env: Record<string, string>): readonly string[] {
  try {
    authConfig(env)
    return []
  } catch (error) {
    return (error as ConfigError).problems
  }
}

/** The names of the settings that are complained of. */
function complaints(env: Record<string, string>): string[] {
  return problems(env)
    .map((problem) => problem.split(' ', 1)[0] ?? '')
    .sort()
}

t.test('four settings are enough, and the others are as the contract has them; durations are seconds', async (t) => {
  t.strictSame(authConfig(LEAST), {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    KEEP_ALIVE_TIMEOUT: 72,
    LOG_LEVEL: 'info',
    MANAGEMENT_HOST: '127.0.0.1',
    BUILD_COMMIT: 'unknown',
    PORT: 9090,
    ISSUER: 'https://auth.example.com',
    AUDIENCE: ['latchkey'],
    KEYS_DIR: './keys',
    DATABASE_URL: 'postgres://user@host/name',
    DATABASE_POOL_SIZE: 10,
    DATABASE_PREPARE: 'on',
    ANSWER_TIMEOUT: 3,
    ACCESS_TOKEN_TTL: 900,
    REFRESH_TOKEN_TTL: 2_592_000,
    COOKIE_RENEWAL_WINDOW: 30,
    REFRESH_TOKEN_ROTATION: 'on',
    REFRESH_REUSE_WINDOW: 30,
    SESSION_MAX_AGE: 7_776_000,
    CLOCK_LEEWAY: 5,
    BCRYPT_COST: 11,
    PASSWORD_MIN_LENGTH: 8,
    PASSWORD_TIMEOUT: 3,
    RATE_LIMIT_PER_MINUTE: 100,
    JWKS_PUBLISH_AGE: 300,
    KEY_LEAD: 660,
    REVOCATION_FEED: 'off',
    FEED_WAITING: 1000,
    DATA_DIR: './data',
    SMTP_TLS: 'required',
    MAIL_FROM: 'Latchkey <no-reply@localhost>',
    VERIFICATION_CODE_TTL: 86_400,
    RESET_CODE_TTL: 600,
    REQUIRE_VERIFIED_EMAIL: 'off',
    SIGNUP: 'open'
  })
})

t.test('the old name of a setting is refused, with the new one', async (t) => {
  const old = { DATABASE_TIMEOUT: '5s', HASH_QUEUE_TIMEOUT: '5s' }
  t.throws(() => authConfig({ ...LEAST, ...old }), {
    message: /DATABASE_TIMEOUT is now called ANSWER_TIMEOUT: .*\n.*HASH_QUEUE_TIMEOUT is now called PASSWORD_TIMEOUT: /
  })
  const names = complaints({ ...LEAST, ...old, BCRYPT_COST: '3' })
  t.strictSame(names, ['BCRYPT_COST', 'DATABASE_TIMEOUT', 'HASH_QUEUE_TIMEOUT'], 'together with all other faults')
})

t.test('everything that is missing is named at once, with what it is', async (t) => {
  t.strictSame(complaints({}), ['AUDIENCE', 'DATABASE_URL', 'ISSUER', 'KEYS_DIR'])
  t.throws(() => authConfig({}), {
    name: 'ConfigError',
    message: /^cannot start, because these settings need a look:\n {2}ISSUER is not set\. Name of this service/
  })
})

t.test('everything that is malformed is named at once, with what is expected, and not with its value', async (t) => {
  const malformed = {
    NODE_ENV: 'staging',
    LOG_LEVEL: 'loud',
    TRUST_PROXY: 'everybody',
    CORS_ORIGINS: '*',
    PORT: '65536',
    ISSUER: 'auth.example.com',
    AUDIENCE: 'greeter,,chat',
    COOKIE_RENEWAL_WINDOW: '30',
    COOKIE_DOMAIN: '.example.com',
    DATABASE_URL: 'mysql://user:secret-canary@host/name',
    DATABASE_POOL_SIZE: '0',
    ANSWER_TIMEOUT: '3',
    ACCESS_TOKEN_TTL: '15 m',
    REFRESH_TOKEN_TTL: '30D',
    SESSION_MAX_AGE: '-1d',
    CLOCK_LEEWAY: '5sec',
    BCRYPT_COST: '9',
    PASSWORD_MIN_LENGTH: 'eight',
    PASSWORD_TIMEOUT: '1.5s',
    RATE_LIMIT_PER_MINUTE: '1e3',
    JWKS_PUBLISH_AGE: '0s',
    KEY_LEAD: '1s',
    REVOCATION_FEED: 'on',
    FEED_TOKEN: 'secret-canary',
    FEED_WAITING: '0',
    SMTP_URL: 'smtp://user:secret-canary@host/path',
    SMTP_TLS: 'on',
    MAIL_FROM: 'nobody',
    PUBLIC_URL: 'app.example.com',
    MAIL_TEMPLATES: '/nowhere',
    VERIFICATION_CODE_TTL: '1',
    RESET_CODE_TTL: '0s',
    REQUIRE_VERIFIED_EMAIL: 'yes',
    SIGNUP: 'yes'
  }
  t.strictSame(complaints(malformed), ['KEYS_DIR', ...Object.keys(malformed)].sort())
  t.throws(() => authConfig(malformed), { message: /^(?!.*canary)/s })
})

t.test('BCRYPT_COST is 10 to 15', async (t) => {
  for (const cost of ['4', '9', '16', '010', '']) {
    t.strictSame(
      complaints({ ...LEAST, BCRYPT_COST: cost }),
      cost === '' || cost === '010' ? [] : ['BCRYPT_COST'],
      cost
    )
  }
})

t.test('KEY_LEAD is at least twice JWKS_PUBLISH_AGE', async (t) => {
  t.equal(authConfig({ ...LEAST, JWKS_PUBLISH_AGE: '330s' }).KEY_LEAD, 660)
  for (const env of [
    { JWKS_PUBLISH_AGE: '331s' },
    { KEY_LEAD: '9m' },
    { JWKS_PUBLISH_AGE: '2s', KEY_LEAD: '3999ms' }
  ]) {
    t.strictSame(complaints({ ...LEAST, ...env }), ['KEY_LEAD'])
  }
})

t.test('FEED_TOKEN is one token or two, and stands together with REVOCATION_FEED=token', async (t) => {
  const token = 'bG9uZyBlbm91Z2ggdG8gYmUgYSBzZWNyZXQu+/=='
  const found = (env: Record<string, string>) => problems({ ...LEAST, ...env })
  for (const FEED_TOKEN of [token, `${token},${token}`, `${token} , ${token}`, 'a'.repeat(32), 'a'.repeat(256)]) {
    t.strictSame(found({ REVOCATION_FEED: 'token', FEED_TOKEN }), [], FEED_TOKEN)
    t.match(found({ REVOCATION_FEED: 'open', FEED_TOKEN }), [/^REVOCATION_FEED is open, and FEED_TOKEN is set: /])
  }
  const list = `${token},${token},${token}`
  for (const FEED_TOKEN of ['a'.repeat(31), 'a'.repeat(257), `${token},`, `,${token}`, `${token} x`, 'é'.repeat(40)]) {
    t.match(
      found({ REVOCATION_FEED: 'token', FEED_TOKEN }),
      [/^FEED_TOKEN must be a token of 32 to 256 letters/],
      FEED_TOKEN
    )
  }
  t.match(found({ REVOCATION_FEED: 'token', FEED_TOKEN: list }), [/^FEED_TOKEN has 3 tokens: two at most/])
  t.match(found({ REVOCATION_FEED: 'token' }), [/^FEED_TOKEN is not set, and REVOCATION_FEED=token needs it: /])
  t.strictSame(found({ REVOCATION_FEED: 'off', FEED_TOKEN: token }), [], 'off: it may stay for later')
})

/** Durations that contradict each other, or a default, and what the log says of them. */
const TOGETHER: [env: Record<string, string>, problems: RegExp[]][] = [
  [
    { REFRESH_TOKEN_TTL: '899s' },
    [
      /^ACCESS_TOKEN_TTL \(15m\) is longer than REFRESH_TOKEN_TTL \(899s\): .+\. Set ACCESS_TOKEN_TTL lower, or REFRESH_TOKEN_TTL higher\.$/
    ]
  ],
  [{ SESSION_MAX_AGE: '10m' }, [/^ACCESS_TOKEN_TTL \(15m\) is longer than SESSION_MAX_AGE \(10m\): /]],
  [
    { ACCESS_TOKEN_TTL: '7d', REFRESH_TOKEN_TTL: '6d', SESSION_MAX_AGE: '6d' },
    [/REFRESH_TOKEN_TTL/, /SESSION_MAX_AGE/]
  ],
  [
    { ACCESS_TOKEN_TTL: '5s', REFRESH_TOKEN_TTL: '29s', COOKIE_RENEWAL_WINDOW: '1s' },
    [/^REFRESH_REUSE_WINDOW \(30s\) .+ REFRESH_TOKEN_TTL \(29s\): /]
  ],
  [{ ACCESS_TOKEN_TTL: '7d', REFRESH_TOKEN_TTL: '7d', SESSION_MAX_AGE: '7d' }, []],
  [{ ACCESS_TOKEN_TTL: '30s', REFRESH_TOKEN_TTL: '30s', COOKIE_RENEWAL_WINDOW: '29s' }, []],
  [{ REFRESH_TOKEN_TTL: '91d' }, []],
  [{ REFRESH_REUSE_WINDOW: '0s', ANSWER_TIMEOUT: '5m', PASSWORD_TIMEOUT: '50ms' }, []]
]

t.test('durations that contradict each other are told by name, with what to do', async (t) => {
  for (const [env, expected] of TOGETHER) {
    const found = doubts(authConfig({ ...LEAST, ...env }))
    t.match(found, expected, JSON.stringify(env))
    t.equal(found.length, expected.length)
  }
})

t.test('AUDIENCE does not name the ISSUER, whose tokens open administration', async (t) => {
  for (const AUDIENCE of [LEAST.ISSUER, `greeter, ${LEAST.ISSUER}`]) {
    t.strictSame(complaints({ ...LEAST, AUDIENCE }), ['AUDIENCE'])
  }
  t.strictSame(complaints({ ...LEAST, AUDIENCE: LEAST.ISSUER, KEY_LEAD: '9m' }), ['AUDIENCE', 'KEY_LEAD'])
})

t.test('URLs with a password are refused where they would be read otherwise than written', async (t) => {
  const complaint = (env: Record<string, string>) => {
    try {
      return authConfig({ ...LEAST, ...env }) && undefined
    } catch (error) {
      return (error as ConfigError).problems
    }
  }
  t.match(complaint({ DATABASE_URL: 'postgres://ada:sec#ret@db/latchkey' }), [
    /^DATABASE_URL has a # .* as %23\. The primary/
  ])
  t.match(complaint({ REDIS_URL: 'redis://:sec#ret@redis' }), [/^REDIS_URL has a # .* as %23\. A Redis/])
  t.match(complaint({ REDIS_URL: 'http://redis' }), [/^REDIS_URL must begin with redis/])
  for (const url of ['redis://:a%23b@redis:6379/1', 'rediss://redis']) t.equal(complaint({ REDIS_URL: url }), undefined)
})

t.test('DATABASE_URL may come from a file', async (t) => {
  const dir = t.testdir({ url: 'postgresql://from@a/file\n' })
  const { DATABASE_URL: _, ...rest } = LEAST
  t.equal(authConfig({ ...rest, DATABASE_URL_FILE: join(dir, 'url') }).DATABASE_URL, 'postgresql://from@a/file')
  t.strictSame(complaints({ ...rest, DATABASE_URL_FILE: join(dir, 'none') }), ['DATABASE_URL_FILE'])
})

t.test('AUDIT_RETENTION is 400 days, 0 for ever, or 7 days to ten years', async (t) => {
  const { DATABASE_URL } = LEAST
  const retention = (AUDIT_RETENTION: string) => {
    try {
      return readConfig(migrationSettings, { DATABASE_URL, AUDIT_RETENTION }).AUDIT_RETENTION
    } catch (error) {
      return (error as ConfigError).problems
    }
  }
  const day = 86_400
  const accepted = {
    '': 400 * day,
    '400d': 400 * day,
    '0': 0,
    '0d': 0,
    '7d': 7 * day,
    '168h': 7 * day,
    '3650d': 3650 * day
  }
  for (const [value, seconds] of Object.entries(accepted)) t.equal(retention(value), seconds, value)
  for (const value of ['5s', '23h', '6d', '3651d', '400', '-1d', 'for ever']) {
    t.match(
      retention(value),
      [/^AUDIT_RETENTION must be a whole number and .+ from 7d to 3650d, or 0\. How long/],
      value
    )
  }
})

t.test('.env.example says of every setting what the schema says', async (t) => {
  const file = readFileSync(fileURLToPath(new URL('../.env.example', import.meta.url)), 'utf8')
  const [, ...migration] = expectedEntries(migrationSettings)
  const expected = expectedEntries(authSettings).flatMap((entry) =>
    entry.line === 'DATABASE_URL=' ? [entry, ...migration] : [entry]
  )
  t.strictSame(readEntries(file), expected)
})

t.test('COOKIE_DOMAIN is a domain as it stands in a cookie', async (t) => {
  for (const domain of ['example.com', 'auth.example.com', 'xn--bcher-kva.example', 'a-b.example.co.uk', '']) {
    t.strictSame(complaints({ ...LEAST, COOKIE_DOMAIN: domain }), [], domain)
  }
  for (const domain of [
    'com',
    'localhost',
    '.example.com',
    'example.com.',
    'Example.com',
    'https://example.com',
    'example.com:443',
    'example.com/',
    '*.example.com',
    'example.com; Secure',
    'b\u00fccher.example',
    '192.0.2.7',
    '[::1]',
    '-a.example.com',
    `${'a.'.repeat(126)}example`
  ]) {
    t.strictSame(complaints({ ...LEAST, COOKIE_DOMAIN: domain }), ['COOKIE_DOMAIN'], domain)
  }
})

t.test('settings of cookies that work against each other are told of at the start', async (t) => {
  const told = (env: Record<string, string>) => doubts(authConfig({ ...LEAST, ...env }))
  t.strictSame(told({ COOKIE_RENEWAL_WINDOW: '899s', COOKIE_DOMAIN: 'example.com' }), [])
  t.strictSame(told({ COOKIE_DOMAIN: 'auth.example.com' }), [])
  t.match(told({ COOKIE_RENEWAL_WINDOW: '15m' }), [
    /^COOKIE_RENEWAL_WINDOW \(15m\) is not shorter than ACCESS_TOKEN_TTL \(15m\)/
  ])
  for (const domain of ['example.org', 'app.example.com', 'h.example.com']) {
    t.match(told({ COOKIE_DOMAIN: domain }), [/^COOKIE_DOMAIN \(.+\) is not the host of ISSUER or above it/], domain)
  }
})
