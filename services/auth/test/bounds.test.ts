import { isProblem, printable } from '@latchkey/testing/problem'
import pg from 'pg'
import t, { type Test } from 'tap'
import { addStream } from '../src/signals/streams.ts'
import { ISSUER, PASSWORD, startAuth } from './app.ts'
import { newNonce } from './feed.ts'
import { directPool } from './hash-pool.ts'

// No text of a request is worked on before its length is known to be within its bound. Work is what is counted, not time.
const hashPool = directPool()
const auth = await startAuth(t, { hashPool, env: { REVOCATION_FEED: 'open' } })
const ada = await auth.person({ email: 'ada@example.com' })
await auth.database.query("UPDATE users SET roles = '{user,admin}', epoch = epoch + 1 WHERE id = $1", [ada.id])
const { access_token: token } = (
  await auth.send('POST /login', { body: { email: ada.email, password: ada.password, resource: ISSUER } })
).body

/** What a body may hold, less what stands around the text. */
const SIZE = 64_000

/** 64 KB of what is dear to look at, one way or another. */
const WORST = {
  'digits between letters': `a${'1'.repeat(SIZE)}a`,
  'two classes of marks, which NFC sorts': `a${'\u0300'.repeat(15_000)}${'\u0316'.repeat(15_000)}`,
  blanks: ' '.repeat(SIZE),
  'labels of an address': `a@${`${'b'.repeat(63)}.`.repeat(900)}!`,
  'atoms of an address': `${'a.'.repeat(SIZE / 2)}@`,
  'one letter': 'a'.repeat(SIZE),
  emoji: '😀'.repeat(SIZE / 4)
}

/** Every text of every body: the longest that any work may be done on, and a request that would be taken without it. */
const FIELDS: Record<string, { body: Record<string, unknown>; bounds: Record<string, number>; token?: string }> = {
  'POST /signup': {
    body: { email: 'new@example.com', username: 'New', password: PASSWORD },
    bounds: { email: 254, username: 1000, password: 300 }
  },
  'POST /login': {
    body: { email: ada.email, password: PASSWORD },
    bounds: { email: 254, password: 300, resource: 100 }
  },
  'POST /refresh-token': { body: {}, bounds: { resource: 100 }, token: ada.refresh_token },
  'POST /change-password': {
    body: { current_password: PASSWORD, new_password: 'another harbour' },
    bounds: { current_password: 300, new_password: 300 },
    token
  },
  'PUT /update-username': { body: { username: 'New' }, bounds: { username: 1000 }, token },
  'PUT /update-email': {
    body: { email: 'new@example.com', current_password: PASSWORD },
    bounds: { email: 254, current_password: 300 },
    token
  },
  'POST /verify-email': { body: { email: ada.email, code: 'x' }, bounds: { email: 254, code: 100 } },
  'POST /verify-email/resend': { body: { email: ada.email }, bounds: { email: 254 } },
  'POST /forgot-password': { body: { email: ada.email }, bounds: { email: 254 } },
  'POST /reset-password': {
    body: { email: ada.email, code: 'x', new_password: 'another harbour' },
    bounds: { email: 254, code: 100, new_password: 300 }
  },
  'POST /users': {
    body: { email: 'new@example.com', username: 'New' },
    bounds: { email: 254, username: 1000 },
    token
  },
  'DELETE /me': { body: { current_password: PASSWORD }, bounds: { current_password: 300 }, token }
}

t.test('nothing is done to a text beyond its bound, whatever it holds', async (t) => {
  const texts = watchTexts(t)
  for (const [line, { body, bounds, token }] of Object.entries(FIELDS)) {
    for (const [field, bound] of Object.entries(bounds)) {
      for (const [name, worst] of Object.entries(WORST)) {
        const about = `${line} ${field}: ${name}`
        hashPool.jobs.length = 0
        texts.length = 0
        isProblem(
          t,
          await auth.send(line, { token, body: { ...body, [field]: worst } }),
          'invalid_input',
          [field],
          about
        )
        t.strictSame(
          { beyond: beyond(texts, worst, bound), hashed: hashPool.jobs.length },
          { beyond: [], hashed: 0 },
          about
        )
      }
    }
  }
})

t.test('a list of roles is looked at up to its bound, and each role as well', async (t) => {
  const texts = watchTexts(t)
  for (const worst of Object.values(WORST)) {
    texts.length = 0
    const answer = await auth.send(`PUT /users/${ada.id}/roles`, { token, body: { roles: [worst] } })
    isProblem(t, answer, 'invalid_input', ['roles.0'])
    t.strictSame(beyond(texts, worst, 32), [])
  }
  for (const roles of [Array(20_000).fill(''), Array(12_000).fill({}), Array(9000).fill('user')]) {
    isProblem(t, await auth.send(`PUT /users/${ada.id}/roles`, { token, body: { roles } }), 'invalid_input', ['roles'])
  }
})

t.test('an id of a SET is looked at up to its bound', async (t) => {
  const stream = await auth.database.transaction((on) => addStream(on, { method: 'poll', audience: 'app' }))
  const line = `POST /signals/${stream?.id}`
  const sending = { token: stream?.token }
  const texts = watchTexts(t)
  for (const worst of Object.values(WORST)) {
    texts.length = 0
    isProblem(t, await auth.send(line, { ...sending, body: { ack: [worst] } }), 'invalid_input', ['ack.0'])
    const body = { returnImmediately: true, setErrs: { [worst]: { err: 'x' } } }
    t.equal((await auth.send(line, { ...sending, body })).status, 200)
    t.strictSame(beyond(texts, worst, 100), [])
  }
  isProblem(t, await auth.send(line, { ...sending, body: { ack: Array(9000).fill('x') } }), 'invalid_input', ['ack'])
})

const AUDIT_FILTERS = ['user', 'event', 'outcome', 'from', 'to', 'after', 'limit']

t.test('a parameter is looked at up to its bound, in a query and in a path', async (t) => {
  const texts = watchTexts(t)
  const PARAMETERS = {
    '/users': ['search', 'after', 'limit'],
    '/refresh-token': ['resource'],
    '/audit-log': AUDIT_FILTERS,
    '/revocations': ['after', 'wait', 'nonce']
  }
  const each = Object.entries(PARAMETERS).flatMap(([path, names]) => names.map((name) => [path, name] as const))
  for (const [path, name] of each) {
    for (const worst of ['a'.repeat(15_000), '1'.repeat(15_000), '\u0000'.repeat(5000), '\u0300\u0316'.repeat(1200)]) {
      texts.length = 0
      const about = `${name} ${printable(worst.slice(0, 4))}`
      const needed = path === '/revocations' && name !== 'nonce' ? `&nonce=${newNonce()}` : ''
      const shown = name === 'resource' ? ada.refresh_token : token
      const answer = await auth.send(`GET ${path}?${name}=${encodeURIComponent(worst)}${needed}`, { token: shown })
      isProblem(t, answer, 'invalid_input', [name], about)
      t.strictSame(beyond(texts, worst, 254), [], about)
    }
  }
  const worst = 'a'.repeat(15_000)
  for (const line of [`DELETE /sessions/${worst}`, `POST /users/${worst}/disable`]) {
    texts.length = 0
    isProblem(t, await auth.send(line, { token }), 'invalid_input', ['path'], line.slice(0, 20))
    t.strictSame(beyond(texts, worst, 254), [], line.slice(0, 20))
  }
})

t.test('of a User-Agent 256 characters are kept, and nothing is done to the rest', async (t) => {
  const texts = watchTexts(t)
  const worst = '('.repeat(15_000)
  const answer = await auth.send('POST /login', { body: FIELDS['POST /login']?.body, headers: { 'user-agent': worst } })
  t.equal(answer.status, 200)
  t.strictSame(beyond(texts, worst, 256), [])
  t.strictSame(
    [...new Set(texts.filter((text) => text.startsWith('((')))],
    [worst.slice(0, 256)],
    'the database keeps its beginning'
  )
})

t.test('a body that is nested deep is not parsed', async (t) => {
  const parsed: string[] = []
  const { parse } = JSON
  t.teardown(() => {
    JSON.parse = parse
  })
  JSON.parse = (text, ...more) => {
    parsed.push(text)
    return parse(text, ...more)
  }
  for (const deep of ['['.repeat(30_000) + ']'.repeat(30_000), `${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`]) {
    isProblem(t, await auth.send('POST /login', { body: deep }), 'invalid_input', ['body'])
    t.strictSame(
      parsed.filter((text) => text === deep),
      []
    )
  }
})

t.test('no password has control characters, and none that has is counted, compared or hashed', async (t) => {
  const attempts = () => auth.database.query('SELECT count(*) FROM attempts')
  const before = await attempts()
  for (const [line, { body, bounds, token }] of Object.entries(FIELDS)) {
    for (const field of Object.keys(bounds).filter((name) => name.endsWith('password'))) {
      for (const control of ['\u0000', '\t', '\n', '\u001b', '\u007f', '\u0085', '\u009f']) {
        hashPool.jobs.length = 0
        const sent = { ...body, [field]: `${PASSWORD}${control}${PASSWORD}` }
        isProblem(t, await auth.send(line, { token, body: sent }), 'invalid_input', [field], `${line} ${field}`)
        t.strictSame(hashPool.jobs, [])
      }
    }
  }
  t.strictSame(await attempts(), before)
})

/** The texts that hold more of `worst` than its bound, by beginning and length; but for the body and the URL themselves. */
function beyond(texts: readonly string[], worst: string, bound: number): string[] {
  const [begin, end] = [worst.slice(0, bound + 1), worst.slice(-bound - 1)]
  const long = texts.filter((text) => text.length > bound && (text.includes(begin) || text.includes(end)))
  const work = long.filter((text) => !/^(\{|([A-Z]+ )?\/)/.test(text))
  return [...new Set(work.map((text) => `${printable(text.slice(0, 20))}… of ${text.length}`))]
}

/** Every text that is worked on from now on: by the methods of texts and of regular expressions, and by the database. */
function watchTexts(t: Test): string[] {
  const texts: string[] = []
  const ofTexts = ['normalize', 'trim', 'toLowerCase', 'split', 'replace', 'replaceAll', 'match', 'matchAll', 'search']
  for (const name of [...ofTexts, Symbol.iterator]) watch(t, String.prototype, name, (text) => note(text))
  const ofPatterns = [Symbol.replace, Symbol.match, Symbol.matchAll, Symbol.search, Symbol.split]
  for (const name of ['test', 'exec', ...ofPatterns]) watch(t, RegExp.prototype, name, (_pattern, [text]) => note(text))
  watch(t, pg.Client.prototype, 'query', (_client, [statement]) => {
    for (const value of (statement as { values?: unknown[] }).values ?? []) note(value)
  })
  return texts

  function note(text: unknown): void {
    if (typeof text === 'string' || text instanceof String) texts.push(String(text))
  }
}

function watch(t: Test, prototype: object, name: PropertyKey, see: (that: unknown, given: unknown[]) => void): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)
  const method = descriptor?.value as (...given: unknown[]) => unknown
  t.teardown(() => Object.defineProperty(prototype, name, descriptor as PropertyDescriptor))
  Object.defineProperty(prototype, name, {
    ...descriptor,
    value(this: unknown, ...given: unknown[]) {
      see(this, given)
      return Reflect.apply(method, this, given)
    }
  })
}
