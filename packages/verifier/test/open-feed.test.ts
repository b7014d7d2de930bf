import t from 'tap'
import { openFeed } from '../src/feed/open-feed.ts'
import { createVerifier } from '../src/verifier.ts'
import { AUDIENCE, FakeFeedClock, FEED_URL, ISSUER } from './fake-feed.ts'
import { FakeKeys } from './feed-scene.ts'

const good = { url: FEED_URL, whenCut: 'refuse' } as const

t.test(
  'whenCut has no default: without it nothing compiles, and plain JavaScript is told the three choices',
  async (t) => {
    // @ts-expect-error: whenCut is required
    const without = () => openFeed({ url: FEED_URL })
    for (const choice of ['refuse', 'recent', 'accept']) {
      t.throws(without, { name: 'TypeError', message: new RegExp(`^'${choice}': while the feed is cut`, 'm') })
    }
    // @ts-expect-error: it is one of three
    t.throws(() => openFeed({ url: FEED_URL, whenCut: 'deny' }), { message: /^whenCut must be one of these/ })
  }
)

const REFUSED: Record<string, unknown> = {
  url: ['', 'auth.example.com', 'ftp://auth.example.com/', 'https://user:secret@auth.example.com/', undefined],
  token: ['', 'two words', 'line\nend', 'ü', 7],
  bound: [2.9, 0, -1, Number.NaN, '60', Number.POSITIVE_INFINITY],
  maxEntries: [0, Number.NaN, 1e9],
  cacheFile: ['', 1],
  fetch: ['fetch', null],
  log: [{}, null]
}

for (const [name, values] of Object.entries(REFUSED)) {
  t.test(`a wrong ${name} is a TypeError that names it`, async (t) => {
    for (const value of values as unknown[]) {
      const options = { ...good, [name]: value }
      t.throws(() => openFeed(options as never), { name: 'TypeError', message: new RegExp(`\\b${name}\\b`) })
    }
  })
}

t.test('a feed has one verifier, and a verifier takes nothing else for a feed', async (t) => {
  const revocations = openFeed({ ...good, clock: new FakeFeedClock(), fetch: () => new Promise(() => {}) })
  const options = { issuer: ISSUER, audience: AUDIENCE, keys: new FakeKeys(), revocations }
  t.match(revocations.status(), { state: 'starting', entries: 0 })
  createVerifier(options)
  t.throws(() => createVerifier(options), { name: 'TypeError', message: /open a feed for each/ })
  const fake = { status: revocations.status, unready: () => undefined, close: async () => {} }
  t.throws(() => createVerifier({ ...options, revocations: fake }), { message: /must be what openFeed opened/ })
  await revocations.close()
})

t.test('a name with strange characters makes a valid User-Agent', async (t) => {
  let agent: string | null = null
  const fetch = async (_: unknown, init?: RequestInit) => {
    agent = new Headers(init?.headers).get('user-agent')
    return new Promise<Response>(() => {})
  }
  const revocations = openFeed({ ...good, clock: new FakeFeedClock(), fetch })
  createVerifier({ issuer: ISSUER, audience: 'a (b); ü\r\nx', keys: new FakeKeys(), revocations })
  t.match(agent, /^latchkey-verifier \(a \?b\?\? \?\?\?x; [0-9a-f]{8}\)$/)
  await revocations.close()
})
