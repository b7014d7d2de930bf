import { readFile } from 'node:fs/promises'
import { ConfigError } from '@latchkey/frame/config'
import { expectedEntries, readEntries } from '@latchkey/testing/env-example'
import t from 'tap'
import { doubts, resourceConfig, resourceSettings } from '../src/config.ts'

const LEAST = {
  ISSUER: 'https://auth.example.com',
  AUDIENCE: 'latchkey',
  JWKS_URL: 'https://auth.example.com/jwks.json'
}

function problems(env: Record<string, string>): readonly string[] {
  try {
    resourceConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

t.test('issuer, audience and one place of keys are enough; the rest has the defaults of the contract', async (t) => {
  t.same(resourceConfig(LEAST), {
    ...LEAST,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: 8080,
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
    FEED_BOUND: 60
  })
  const { JWKS_URL: _, ...rest } = LEAST
  t.match(resourceConfig({ ...rest, JWKS_FILE: './jwks.json' }), { JWKS_FILE: './jwks.json' })
})

t.test('settings cannot be changed once they are read, and those of others are not read', async (t) => {
  const config = resourceConfig({ ...LEAST, DATABASE_URL: 'postgres://secret', PATH: '/bin' })
  t.equal(Object.isFrozen(config), true)
  t.strictSame(
    Object.keys(config).filter((name) => ['DATABASE_URL', 'PATH'].includes(name)),
    []
  )
})

t.test('COOKIE_DOMAIN is a domain, and is told of if no browser would send a cookie of it', async (t) => {
  t.match(problems({ ...LEAST, COOKIE_DOMAIN: 'https://example.com' }), [
    /^COOKIE_DOMAIN must be a domain in lower case/
  ])
  const told = (domain: string) => doubts(resourceConfig({ ...LEAST, COOKIE_DOMAIN: domain }))
  t.match(told('example.org'), [/^COOKIE_DOMAIN \(example\.org\) is not the host of ISSUER/])
  t.strictSame(told(new URL(LEAST.ISSUER).hostname), [])
})

t.test('every problem is named at once', async (t) => {
  const found = problems({ PORT: 'http', JWKS_MAX_AGE: '10', LOG_LEVEL: 'loud', CORS_ORIGINS: '*' })
  t.same(found.map((problem) => problem.split(' ')[0]).sort(), [
    'AUDIENCE',
    'CORS_ORIGINS',
    'ISSUER',
    'JWKS_MAX_AGE',
    'JWKS_URL',
    'LOG_LEVEL',
    'PORT'
  ])
  for (const problem of found) t.match(problem, /^[A-Z_]+ .+\. .+\.$/, 'what is wrong, and what the setting is')
})

t.test('an empty value is as good as none', async (t) => {
  t.match(resourceConfig({ ...LEAST, PORT: '', JWKS_FILE: '' }), { PORT: 8080 })
  t.match(problems({ ...LEAST, ISSUER: '' }), [/^ISSUER is not set/])
  t.match(problems({ ...LEAST, JWKS_URL: '', JWKS_FILE: '' }), [/^JWKS_URL is not set, nor is JWKS_FILE\./])
})

/** Values that are refused, by the setting. */
const MALFORMED: Record<string, string[]> = {
  NODE_ENV: ['test', 'Production'],
  LOG_LEVEL: ['verbose', 'INFO'],
  PORT: ['-1', '65536', '80.5', 'http', '0x50', '8080 '],
  ISSUER: [
    'auth.example.com',
    '//auth.example.com',
    'ftp://auth.example.com',
    'https://auth.example.com?x',
    'https://a#b'
  ],
  AUDIENCE: ['a,b', ',', LEAST.ISSUER],
  JWKS_URL: ['/jwks.json', 'file:///etc/passwd', 'data:application/json,{}'],
  TRUST_PROXY: ['true', 'loopback', '10.0.0.0/8,', '*'],
  CORS_ORIGINS: ['*', 'null', 'example.com', 'https://example.com/path', 'https://a.example,'],
  JWKS_MIN_AGE: ['30', '0s', '1.5s', '-1s', '1w', 's', '1 s', '30S', '1e3s', '9999999999s'],
  JWKS_MAX_AGE: ['never', '0s'],
  JWKS_STALE_AGE: ['1day', '999ms'],
  JWKS_COOLDOWN: ['5sec'],
  JWKS_TIMEOUT: ['0s', '49ms', '3'],
  CLOCK_LEEWAY: ['5', '-5s'],
  FEED_URL: ['/revocations', 'ftp://auth.example.com', 'https://auth.example.com/revocations?token=x'],
  FEED_WHEN_CUT: ['Refuse', 'never'],
  FEED_BOUND: ['2999ms', '60', '2d'],
  FEED_TOKEN: ['one,two', 'a b']
}

const FEED = { FEED_URL: 'https://auth.example.com/revocations', FEED_WHEN_CUT: 'refuse' }

t.test('what happens while the feed is cut is a choice that nobody overlooks', async (t) => {
  t.match(resourceConfig({ ...LEAST, ...FEED }), { ...FEED, FEED_BOUND: 60 })
  t.match(problems({ ...LEAST, FEED_URL: FEED.FEED_URL }), [/^FEED_WHEN_CUT is not set\. .*refuse.*recent.*accept/])
  t.match(problems({ ...LEAST, FEED_WHEN_CUT: 'accept', FEED_TOKEN: 'x' }), [
    /^FEED_URL is not set, and FEED_WHEN_CUT, FEED_TOKEN needs it/
  ])
  const files = { JWKS_CACHE_FILE: './data/jwks.json', FEED_CACHE_FILE: 'data/../data/jwks.json' }
  t.match(problems({ ...LEAST, ...FEED, ...files }), [/^FEED_CACHE_FILE must not be JWKS_CACHE_FILE/])
})

t.test('a malformed value is refused by the name of its setting, and not repeated', async (t) => {
  for (const [name, values] of Object.entries(MALFORMED)) {
    for (const value of values) {
      const found = problems({ ...LEAST, ...(name.startsWith('FEED') && FEED), [name]: value })
      t.match(found, [new RegExp(`^${name} `)], `${name}=${value}`)
      t.equal(found.length, 1, `${name}=${value}`)
    }
  }
  const secret = 'correct-horse'
  t.equal(
    problems({ ...LEAST, JWKS_URL: secret, PORT: secret })
      .join()
      .includes(secret),
    false
  )
})

/** Durations that contradict each other, or a default, and what the log says of them. */
const TOGETHER: [env: Record<string, string>, problems: RegExp[]][] = [
  [
    { JWKS_MIN_AGE: '11m' },
    [
      /^JWKS_MIN_AGE \(11m\) is longer than JWKS_MAX_AGE \(10m\): .+\. Set JWKS_MIN_AGE lower, or JWKS_MAX_AGE higher\.$/
    ]
  ],
  [{ JWKS_MAX_AGE: '29999ms' }, [/^JWKS_MIN_AGE \(30s\) .+ JWKS_MAX_AGE \(29999ms\)/]],
  [{ JWKS_STALE_AGE: '599s' }, [/^JWKS_MAX_AGE \(10m\) is longer than JWKS_STALE_AGE \(599s\): /]],
  [{ JWKS_MAX_AGE: '2d' }, [/^JWKS_MAX_AGE \(2d\) .+ JWKS_STALE_AGE \(1d\)/]],
  [{ JWKS_MIN_AGE: '1d', JWKS_STALE_AGE: '1s' }, [/^JWKS_MIN_AGE /, /^JWKS_MAX_AGE /]],
  [{ JWKS_MIN_AGE: '1m', JWKS_MAX_AGE: '1m', JWKS_STALE_AGE: '60s' }, []],
  [{ JWKS_MIN_AGE: '1s', JWKS_MAX_AGE: '1s', JWKS_STALE_AGE: '1s' }, []]
]

t.test('settings that contradict each other are told by name, with what to do', async (t) => {
  for (const [env, expected] of TOGETHER) {
    const found = doubts(resourceConfig({ ...LEAST, ...env }))
    t.match(found, expected, JSON.stringify(env))
    t.equal(found.length, expected.length)
  }
})

t.test('the kept key set is another file than the one that is given', async (t) => {
  const same = problems({ ...LEAST, JWKS_FILE: 'data/../jwks.json', JWKS_CACHE_FILE: './jwks.json' })
  t.match(same, [/^JWKS_CACHE_FILE must not be JWKS_FILE/])
  t.strictSame(problems({ ...LEAST, JWKS_FILE: 'seed.json', JWKS_CACHE_FILE: 'jwks.json' }), [])
})

t.test('values are read as what they mean', async (t) => {
  const config = resourceConfig({
    ...LEAST,
    PORT: '0',
    JWKS_COOLDOWN: '250ms',
    JWKS_MAX_AGE: '2h',
    JWKS_STALE_AGE: '7d',
    JWKS_TIMEOUT: '50ms',
    CLOCK_LEEWAY: '0s',
    CORS_ORIGINS: 'https://a.example, http://b.example:3000',
    TRUST_PROXY: '10.0.0.0/8,::1'
  })
  t.match(config, {
    PORT: 0,
    JWKS_COOLDOWN: 0.25,
    JWKS_MAX_AGE: 7200,
    JWKS_STALE_AGE: 604_800,
    JWKS_TIMEOUT: 0.05,
    CLOCK_LEEWAY: 0,
    CORS_ORIGINS: ['https://a.example', 'http://b.example:3000'],
    TRUST_PROXY: ['10.0.0.0/8', '::1']
  })
})

t.test('.env.example says of every setting what the schema says', async (t) => {
  const file = await readFile(new URL('../.env.example', import.meta.url), 'utf8')
  t.same(readEntries(file), expectedEntries(resourceSettings))
})
