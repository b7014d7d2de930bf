import { setTimeout as sleep } from 'node:timers/promises'
import { isProblem } from '@latchkey/testing/problem'
import { revocationKey } from '@latchkey/tokens/revocations'
import t from 'tap'
import { startAuth } from './app.ts'
import { ask, FEED_TOKEN, lineOf, newNonce, untilWaiting, verified } from './feed.ts'
import { claimsOf } from './tokens.ts'

const OPEN = { REVOCATION_FEED: 'open' }
const BY_TOKEN = { REVOCATION_FEED: 'token', FEED_TOKEN }

t.test('the feed tells what has ended, from the beginning and after a place, and how complete it is', async (t) => {
  const auth = await startAuth(t, { env: OPEN })
  const before = Date.now() / 1000
  const first = await ask(auth)
  t.match(first, { iss: auth.config.ISSUER, after: null, more: false, entries: [] })
  t.ok(Number(first.complete_at) >= before && Number(first.complete_at) <= Date.now() / 1000)
  t.match(first.to, /^1\.[0-9a-f]{16}$/)

  const ada = await auth.person()
  await auth.send('POST /logout-everywhere', { token: ada.access_token })
  const second = await ask(auth, { after: first.to })
  t.match(second, {
    after: first.to,
    more: false,
    entries: [['subject', revocationKey(ada.id), (claimsOf(ada.access_token)['epoch'] as number) + 1, Number]]
  })
  t.strictSame((await ask(auth)).entries.length, 1, 'also from the beginning')
  t.match(await ask(auth, { after: second.to }), { after: second.to, to: second.to, entries: [] })
})

t.test('a question waits until something ends, here or at another instance, and is answered at once', async (t) => {
  const a = await startAuth(t, { env: OPEN })
  const b = await startAuth(t, { env: { ...OPEN, DATABASE_URL: a.config.DATABASE_URL } })
  const { to } = await ask(a)
  for (const [name, writer] of Object.entries({ here: a, 'at another instance': b })) {
    const ada = await writer.person({ email: `${writer === a ? 'a' : 'b'}@example.com` })
    const { to: after } = await ask(a, { after: to })
    const answer = ask(a, { after, wait: 10 })
    await untilWaiting(a, 1)
    await sleep(150)
    t.equal(a.app.feed?.waiting, 1, 'nothing has ended yet')
    const ended = performance.now()
    await writer.send('POST /logout', { token: ada.refresh_token })
    t.match(await answer, {
      after,
      more: false,
      entries: [['session', revocationKey(String(claimsOf(ada.access_token)['sid'])), null, Number]]
    })
    t.comment(`${name}: ${Math.round(performance.now() - ended)} ms after the request for the logout`)
    t.ok(performance.now() - ended < 5000, 'long before it has to')
  }
})

t.test('if nothing ends, the answer is empty and complete when the wait is over', async (t) => {
  const auth = await startAuth(t, { env: OPEN })
  const { to } = await ask(auth)
  const asked = Date.now()
  const answer = await ask(auth, { after: to, wait: 0.7 })
  t.match(answer, { after: to, to, more: false, entries: [] })
  t.ok(Date.now() - asked >= 700, `${Date.now() - asked} ms`)
  t.ok(Number(answer.complete_at) * 1000 >= asked + 600, 'complete as of its end, not of its beginning')
})

t.test('equal questions share texts, with the nonces of up to 64', async (t) => {
  const auth = await startAuth(t, { env: BY_TOKEN })
  const { to } = await ask(auth, {}, { token: FEED_TOKEN })
  const ada = await auth.person()
  const nonces = Array.from({ length: 150 }, newNonce)
  const answers = nonces.map((nonce) => auth.send(lineOf({ after: to, wait: 10, nonce }), { token: FEED_TOKEN }))
  await untilWaiting(auth, 150)
  // Until all may be told: the last that came waits for 100 ms and 0.25 ms for each before it.
  await sleep(200)
  await auth.send('POST /logout', { token: ada.refresh_token })
  const texts = (await Promise.all(answers)).map(({ body }) => body as string)
  const claims = await Promise.all(texts.map((text, i) => verified(auth, text, nonces[i] ?? '')))
  t.equal(new Set(texts).size, 3)
  t.strictSame([...new Set(claims.map((own) => own.nonces.length))].sort(), [22, 64])
})

t.test('only who has the token is told, and two tokens count while one is changed', async (t) => {
  const other = `${FEED_TOKEN}-the-next`
  const auth = await startAuth(t, { env: { ...BY_TOKEN, FEED_TOKEN: `${FEED_TOKEN}, ${other}` } })
  for (const token of [FEED_TOKEN, other]) t.match(await ask(auth, {}, { token }), { after: null }, token)
  const ada = await auth.person()
  for (const token of ['x', `${FEED_TOKEN}x`, FEED_TOKEN.slice(1), `${FEED_TOKEN},${other}`, ada.access_token]) {
    isProblem(t, await auth.send(lineOf({}), { token }), 'invalid_token', [], token)
  }
  isProblem(t, await auth.send(lineOf({})), 'missing_token')
  isProblem(t, await auth.send(lineOf({}), { headers: { authorization: `Basic ${FEED_TOKEN}` } }), 'missing_token')
  isProblem(t, await auth.send('GET /revocations'), 'missing_token', [], 'whatever it asks')
  const cookie = `__Host-token=${ada.access_token}`
  isProblem(t, await auth.send(lineOf({}), { headers: { cookie } }), 'missing_token', [], 'a cookie is none')
})

t.test('what is asked has its form, or is refused', async (t) => {
  const auth = await startAuth(t, { env: OPEN })
  const place = '1.0123456789abcdef'
  const nonce = newNonce()
  const wrong: [query: string, fields: string[]][] = [
    ['', ['nonce']],
    [`nonce=${'a'.repeat(15)}`, ['nonce']],
    [`nonce=${'a'.repeat(65)}`, ['nonce']],
    [`nonce=${'a'.repeat(15)}%2B`, ['nonce']],
    [`nonce=${nonce}&nonce=${nonce}`, ['nonce']],
    ...['-1', '10.1', '11', '1e1', '+1', '1.', '.5', '0.1234', '٣', 'Infinity', ''].map((wait): [string, string[]] => [
      `nonce=${nonce}&wait=${encodeURIComponent(wait)}`,
      ['wait']
    ]),
    ...[
      '1',
      `01${place.slice(1)}`,
      `-${place}`,
      place.toUpperCase(),
      `${place}0`,
      `1${'0'.repeat(16)}.${place}`,
      ''
    ].map((after): [string, string[]] => [`nonce=${nonce}&after=${after}`, ['after']]),
    [`nonce=${nonce}&token=x`, ['token']]
  ]
  for (const [query, fields] of wrong)
    isProblem(t, await auth.send(`GET /revocations?${query}`), 'invalid_input', fields, query)
  for (const wait of ['0', '0.0', '0.001', '0.25']) t.match(await ask(auth, { wait }), { after: null }, wait)
})

t.test('a place that the database lacks is told from the beginning, at once', async (t) => {
  const auth = await startAuth(t, { env: OPEN })
  const { to } = await ask(auth)
  for (const after of ['9999999999999999.0123456789abcdef', `1.${'0'.repeat(16)}`, '0.0123456789abcdef']) {
    t.match(await ask(auth, { after, wait: 10 }), { after: null, to, more: false }, after)
  }
})

t.test('more than a page is told in pages, of which the last is complete', async (t) => {
  const auth = await startAuth(t, { env: OPEN })
  await auth.database.query(
    "INSERT INTO revocations (kind, key) SELECT 'session', n FROM generate_series(1, 23000) AS n"
  )
  const keys = new Set<string>()
  let after: string | null = null
  let answers = 0
  for (let more = true; more; answers += 1) {
    const told = await ask(auth, { after, wait: 10 })
    t.equal(told.complete_at === null, told.more)
    for (const [, key] of told.entries) keys.add(String(key))
    after = told.to
    more = told.more
  }
  t.equal(keys.size, 23_000)
  t.ok(answers <= 6, `${answers} answers`)
})

t.test('while the feed is off nothing of it is there', async (t) => {
  const auth = await startAuth(t)
  isProblem(t, await auth.send(lineOf({})), 'not_found')
  t.notOk('revocations_endpoint' in (await auth.send('GET /.well-known/oauth-authorization-server')).body)
  t.notOk('/revocations' in (await auth.send('GET /openapi.json')).body.paths)
})
