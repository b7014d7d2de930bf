import { setTimeout as sleep } from 'node:timers/promises'
import { runAsOwner } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import t, { type Test } from 'tap'
import { disableUser, enableUser } from '../src/administration/actions.ts'
import { addStream, listStreams, removeStream } from '../src/signals/streams.ts'
import { type Auth, ISSUER, startAuth } from './app.ts'
import { kindOf, verifySet } from './signal-receiver.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

/** A receiver that polls, as RFC 8936 describes it. */
async function poller(auth: Auth, audience = 'https://app.example.com') {
  const added = await auth.database.transaction((on) => addStream(on, { method: 'poll', audience }))
  if (!added?.token) throw new Error('not added')
  const { id, token } = added
  const send = (body: unknown, shown: string | undefined = token) =>
    auth.send(`POST /signals/${id}`, { body, token: shown })
  const poll = async (body: object = {}) => {
    const { status, body: got } = await send({ returnImmediately: true, ...body })
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(got)}`)
    const { keys } = (await auth.send('GET /.well-known/jwks.json')).body
    const jtis = Object.keys(got.sets)
    const sets = Object.entries<string>(got.sets).map(([jti, jws]) => {
      const set = verifySet(jws, keys)
      if (set.claims.jti !== jti) throw new Error('the jti of an answer is that of its SET')
      return set
    })
    return { jtis, sets, kinds: sets.map(kindOf), more: got.moreAvailable }
  }
  return { id, token, send, poll }
}

async function prepare(t: Test) {
  const auth = await startAuth(t)
  const number = () => auth.database.query('SELECT audit_seal(1000)')
  const find = (event: string) => auth.lines.filter((line) => line['event'] === event)
  const disable = async () => {
    const person = await auth.person()
    await disableUser(auth.operator, person)
    await number()
    return person
  }
  return { auth, number, find, disable, to: await poller(auth) }
}

t.test('a receiver polls, acknowledges, and gets what comes next', async (t) => {
  const { auth, number, disable, to, find } = await prepare(t)
  t.match(await to.poll(), { jtis: [], more: false })
  const ada = await disable()
  const first = await to.poll()
  t.strictSame(first.kinds, ['session-revoked', 'account-disabled'])
  t.equal(first.more, false)
  for (const { claims } of first.sets) {
    t.match(claims, { iss: ISSUER, aud: 'https://app.example.com', sub_id: { format: 'iss_sub', sub: ada.id } })
  }
  t.strictSame((await to.poll()).jtis, first.jtis, 'what is not acknowledged comes again, with the same ids')
  const [one = '', two = ''] = first.jtis
  t.strictSame((await to.poll({ ack: [two] })).jtis, [one], 'in any order')
  await enableUser(auth.operator, ada)
  await number()
  const next = await to.poll({ ack: [one] })
  t.strictSame(next.kinds, ['account-enabled'])
  t.strictSame(
    (await to.poll({ ack: [...next.jtis, one, 'unknown', '', '\u0000', '\ud800'] })).jtis,
    [],
    'unknown ids are ignored'
  )
  t.strictSame(
    find('signal_sent').map(({ jti }) => jti),
    [two, one, ...next.jtis]
  )
  t.match(await listStreams(auth.database), [{ behind: 0, waiting: 0, lost: 0, sent_at: Date }])
})

t.test('a receiver gets as many as it asks for, in order, and hears whether there are more', async (t) => {
  const { disable, to } = await prepare(t)
  const people = [await disable(), await disable(), await disable()]
  t.match(await to.poll({ maxEvents: 0 }), { jtis: [], more: true })
  const seen: unknown[] = []
  let ack: string[] = []
  for (const more of [true, true, true, true, true, false]) {
    const one = await to.poll({ maxEvents: 1, ack })
    t.equal(one.more, more)
    seen.push(one.sets[0]?.claims.sub_id['sub'])
    ack = one.jtis
  }
  t.strictSame(
    seen,
    people.flatMap(({ id }) => [id, id])
  )
  t.match(await to.poll({ maxEvents: 0, ack }), { jtis: [], more: false })
})

t.test('a SET that a receiver refuses is logged, and does not come again', async (t) => {
  const { disable, to, find } = await prepare(t)
  await disable()
  const [one = '', two = ''] = (await to.poll()).jtis
  const setErrs = { [one]: { err: 'invalid_audience', description: 'not for us' }, [two]: { err: 'odd\nword' } }
  t.strictSame((await to.poll({ setErrs: { ...setErrs, another: { err: 'x' } } })).jtis, [])
  const refused = find('signal_refused')
  // The lines of one poll come in any order.
  t.strictSame(Object.fromEntries(refused.map(({ jti, code }) => [jti, code])), {
    [one]: 'invalid_audience',
    [two]: 'unknown'
  })
  t.equal(refused.length, 2)
})

t.test('no stream sees or acknowledges the SETs of another', async (t) => {
  const { auth, disable, to } = await prepare(t)
  const other = await poller(auth, 'other')
  await disable()
  const mine = await to.poll()
  const theirs = await other.poll({ ack: mine.jtis, setErrs: { [mine.jtis[0] ?? '']: { err: 'x' } } })
  t.strictSame(theirs.kinds, mine.kinds)
  t.notOk(mine.jtis.some((jti) => theirs.jtis.includes(jti)))
  t.strictSame((await to.poll()).jtis, mine.jtis)
})

t.test('who has not the token of the stream gets nothing, and learns nothing', async (t) => {
  const { auth, disable, to } = await prepare(t)
  const other = await poller(auth, 'other')
  const ada = await disable()
  const eve = await auth.person()
  const push = { method: 'push', audience: 'a', endpoint: 'https://receiver.example.com/' } as const
  const pushed = await auth.database.transaction((on) => addStream(on, push))
  const nobody = await auth.send(`POST /signals/${to.id}`, { body: {} })
  isProblem(t, nobody, 'missing_token')
  for (const token of [other.token, eve.access_token, ada.access_token, to.token.slice(1), `${to.token}x`]) {
    isProblem(t, await to.send({}, token), 'invalid_token')
  }
  for (const id of [NOBODY, pushed?.id, 'x', '..%2F..%2Fme']) {
    isProblem(t, await auth.send(`POST /signals/${id}`, { token: to.token, body: {} }), 'invalid_token')
  }
  isProblem(t, await auth.send('GET /me', { token: to.token }), 'invalid_token')
  t.equal((await to.poll()).jtis.length, 2, 'and nothing was taken away')
  await removeStream(auth.database, to.id)
  isProblem(t, await to.send({}), 'invalid_token')
  const logged = JSON.stringify(auth.lines)
  for (const { token } of [to, other]) t.notOk(logged.includes(token), 'no token is in the log')
})

t.test('a SET is no access token, and an access token is no SET', async (t) => {
  const { auth, disable, to } = await prepare(t)
  await disable()
  const eve = await auth.person()
  const { sets } = (await to.send({ returnImmediately: true })).body
  for (const jws of Object.values<string>(sets)) {
    isProblem(t, await auth.send('GET /me', { token: jws }), 'invalid_token')
    isProblem(t, await auth.send('POST /refresh-token', { token: jws }), 'invalid_token')
    isProblem(t, await auth.send('POST /logout', { token: jws }), 'invalid_token')
  }
  const { keys } = (await auth.send('GET /.well-known/jwks.json')).body
  t.throws(() => verifySet(eve.access_token, keys), /at\+jwt/)
})

t.test('a poll that does not ask for an answer at once waits for a SET', async (t) => {
  const { auth, disable, to } = await prepare(t)
  const waiting = to.send({})
  const ada = await disable()
  const { status, body } = await waiting
  t.equal(status, 200)
  t.equal(Object.keys(body.sets).length, 2)
  t.ok(ada.id)

  await to.poll({ maxEvents: 0, ack: Object.keys(body.sets) })
  const five = Array.from({ length: 5 }, () => to.send({}))
  const refused = await Promise.race(five)
  isProblem(t, refused, 'too_many_requests')
  t.equal(refused.headers['retry-after'], '1')
  const began = performance.now()
  await auth.app.close()
  const answers = (await Promise.all(five)).filter((answer) => answer !== refused)
  t.equal(answers.length, 4)
  for (const { status, body } of answers) {
    t.equal(status, 200)
    t.strictSame(body, { sets: {}, moreAvailable: false })
  }
  t.ok(performance.now() - began < 5000, 'at the stop all are answered at once, not after ten seconds')
})

t.test('a poll without a SET is answered within its time', async (t) => {
  const auth = await startAuth(t, { env: { ANSWER_TIMEOUT: '2s', PASSWORD_TIMEOUT: '2s' } })
  const to = await poller(auth)
  const { status, body } = await to.send({})
  t.equal(status, 200, 'not 503, as an answer that comes too late')
  t.strictSame(body, { sets: {}, moreAvailable: false })
})

t.test('bodies that are no polls get a clear answer, and others have what they add ignored', async (t) => {
  const { to } = await prepare(t)
  const wrong: [unknown, string][] = [
    ['', 'body'],
    ['{', 'body'],
    ['[]', 'body'],
    ['{"ack":[],"ack":[]}', 'body'],
    [{ maxEvents: -1 }, 'maxEvents'],
    [{ maxEvents: 1.5 }, 'maxEvents'],
    [{ maxEvents: '3' }, 'maxEvents'],
    [{ returnImmediately: 'yes' }, 'returnImmediately'],
    [{ ack: 'x' }, 'ack'],
    [{ ack: [1] }, 'ack.0'],
    [{ ack: ['x'.repeat(101)] }, 'ack.0'],
    [{ ack: Array(2001).fill('x') }, 'ack'],
    [{ setErrs: [] }, 'setErrs'],
    [{ setErrs: { x: {} } }, 'setErrs.x.err'],
    [{ setErrs: { x: { err: 7 } } }, 'setErrs.x.err']
  ]
  for (const [body, field] of wrong) {
    isProblem(t, await to.send(body), 'invalid_input', [field])
  }
  isProblem(t, await to.send({ ack: Array(1000).fill('x'.repeat(100)) }), 'content_too_large')
  t.equal((await to.send({ returnImmediately: true, more: { x: 1 }, setErrs: { __proto__: null } })).status, 200)
})

t.test(
  'a receiver that never acknowledges gets no more than 1,000 SETs, and those of a week ago are given up',
  async (t) => {
    const { auth, number, to, find } = await prepare(t)
    await auth.database.query(
      `INSERT INTO audit_records (id, event, outcome, actor_kind, target_kind, target_id, detail, personal_hash)
     SELECT gen_random_uuid(), 'user_enabled', 'done', 'operator', 'user', i::text, '{}', sha256('') FROM generate_series(1, 1050) i`
    )
    await number()
    await number()
    for (let i = 0; i < 12; i += 1) await to.poll()
    t.match(await to.poll(), { more: true })
    t.match(
      await listStreams(auth.database),
      [{ waiting: 100 }],
      'the first hundred come again until they are acknowledged'
    )
    let { jtis } = await to.poll()
    for (let i = 0; i < 3; i += 1) jtis = (await to.poll({ ack: jtis })).jtis
    t.match(await listStreams(auth.database), [{ waiting: 100, behind: 650 }])
    await runAsOwner(auth.config.DATABASE_URL, "UPDATE signals_given SET at = at - interval '8 days'")
    const next = await to.poll()
    t.notOk(next.jtis.some((jti) => jtis.includes(jti)))
    t.match(find('signals_given_up'), [{ stream: to.id, sets: 100 }])
    t.match(await listStreams(auth.database), [{ lost: 100 }])
  }
)

t.test('the metadata says what is there, and only while there is a stream', async (t) => {
  const auth = await startAuth(t)
  const get = () => auth.send('GET /.well-known/ssf-configuration')
  const none = await get()
  isProblem(t, none, 'not_found')
  t.equal(none.headers['cache-control'], 'no-store')
  const { id } = await poller(auth)
  while ((await get()).status === 404) await sleep(20)
  const { status, body, headers } = await get()
  t.equal(status, 200)
  t.match(headers['content-type'], /^application\/json/)
  t.equal(headers['cache-control'], 'public, max-age=300')
  t.strictSame(body, {
    spec_version: '1_0',
    issuer: ISSUER,
    jwks_uri: `${ISSUER}/.well-known/jwks.json`,
    delivery_methods_supported: ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936'],
    critical_subject_members: ['session', 'tenant'],
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
    default_subjects: 'ALL'
  })
  await removeStream(auth.database, id)
  while ((await get()).status === 200) await sleep(50)
  isProblem(t, await get(), 'not_found')
})
