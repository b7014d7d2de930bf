import { join } from 'node:path'
import { isProblem } from '@latchkey/testing/problem'
import { makeKey } from '@latchkey/testing/tokens'
import t, { type Test } from 'tap'
import { bearer, ISSUER, type Resource, startResource } from './app.ts'
import { startIssuer } from './issuer.ts'

const [ours, stranger] = await Promise.all([makeKey(), makeKey()])

/** The service with our key from a file: nobody is asked, whatever comes. */
function start(t: Test): Promise<Resource> {
  const dir = t.testdir({ 'jwks.json': JSON.stringify({ keys: [ours.jwk] }) })
  return startResource(t, { JWKS_FILE: join(dir, 'jwks.json') })
}

t.test('GET /greet greets the user of the token', async (t) => {
  const { send } = await start(t)
  const sub = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
  const headers = bearer(ours, { preferred_username: 'Grace', sub })
  for (const time of ['first', 'second']) {
    const { status, headers: sent, body } = await send('GET /greet', headers)
    t.equal(status, 200, `the ${time} time`)
    t.same(body, { message: 'Hello, Grace!', user_id: sub })
    t.match(sent, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  }
})

const NAMES = [
  '<script>alert(1)</script>',
  '"}{',
  'Zoë \u{1F511}',
  '\u202eecarG',
  '\0\r\n',
  '__proto__',
  'x'.repeat(64)
]

t.test('any name is greeted as it is, as a text in JSON', async (t) => {
  const { send } = await start(t)
  for (const preferred_username of NAMES) {
    const { status, body, headers } = await send('GET /greet', bearer(ours, { preferred_username }))
    t.same({ status, message: body.message }, { status: 200, message: `Hello, ${preferred_username}!` })
    t.match(headers, { 'content-type': /^application\/json/, 'x-content-type-options': 'nosniff' })
  }
})

t.test('every user is greeted by their own name, also when many come at once', async (t) => {
  const { send } = await start(t)
  const names = Array.from({ length: 50 }, (_, i) => `User ${i % 10}`)
  const answers = await Promise.all(names.map((name) => send('GET /greet', bearer(ours, { preferred_username: name }))))
  t.same(
    answers.map(({ body }) => body.message),
    names.map((name) => `Hello, ${name}!`)
  )
})

t.test('a token is shown in the Authorization header and nowhere else', async (t) => {
  const { send } = await start(t)
  const { authorization } = bearer(ours)
  const token = authorization.slice('Bearer '.length)
  isProblem(t, await send('GET /greet'), 'missing_token')
  isProblem(t, await send(`GET /greet?access_token=${token}`), 'missing_token')
  isProblem(t, await send('GET /greet', { cookie: `token=${token}; access_token=${token}` }), 'missing_token')
  isProblem(t, await send('GET /greet', { 'x-authorization': authorization }), 'missing_token')
  isProblem(t, await send('GET /greet', { authorization: token }), 'missing_token')
  isProblem(t, await send('GET /greet', { authorization: [authorization, authorization] }), 'invalid_request')
  t.equal((await send('GET /greet', { authorization: `bearer ${token}` })).status, 200)
})

t.test('a token that is not ours is refused, and an expired one is told so', async (t) => {
  const { send } = await start(t)
  const ago = Math.floor(Date.now() / 1000) - 3600
  isProblem(t, await send('GET /greet', { authorization: 'Bearer nonsense' }), 'invalid_token')
  isProblem(t, await send('GET /greet', bearer(stranger)), 'invalid_token')
  for (const aud of ['others', ISSUER]) {
    isProblem(t, await send('GET /greet', bearer(ours, { aud })), 'invalid_token', [], `for ${aud}`)
  }
  isProblem(t, await send('GET /greet', bearer(ours, { iat: ago, exp: ago + 900 })), 'token_expired')
})

t.test('nothing but the token says who the user is', async (t) => {
  const { send } = await start(t)
  const { status, body } = await send('GET /greet', { ...bearer(ours), 'x-user': 'Mallory', 'x-role': 'admin' })
  t.same({ status, message: body.message }, { status: 200, message: 'Hello, Ada!' })
  isProblem(t, await send('GET /greet?username=Mallory', bearer(ours)), 'invalid_input', ['username'])
})

t.test('other methods are refused, with those that there are', async (t) => {
  const { send } = await start(t)
  t.match(await send('HEAD /greet', bearer(ours)), { status: 200, body: '' })
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await send(`${method} /greet`, bearer(ours))
    isProblem(t, answer, 'method_not_allowed', undefined, method)
    t.equal(answer.headers['allow'], 'GET, HEAD', method)
  }
})

t.test('without any key the answer is 503 with a time, and the issuer is not asked more for it', async (t) => {
  const issuer = await startIssuer(t, [])
  const { send } = await startResource(t, { JWKS_URL: issuer.url })
  const answers = await Promise.all(Array.from({ length: 30 }, () => send('GET /greet', bearer(ours))))
  for (const answer of answers) {
    isProblem(t, answer, 'unavailable')
    t.equal(answer.headers['retry-after'], '1')
  }
  t.equal(issuer.asked, 1)
})

t.test('the log has one line a request, with its id and no token', async (t) => {
  const { send, lines } = await start(t)
  const { body } = await send('GET /greet', { authorization: 'Bearer nonsense' })
  await send('GET /greet', bearer(ours))
  const answered = lines.filter(({ msg }) => msg === 'answered')
  t.match(answered, [
    { req: { method: 'GET', path: '/greet' }, res: { status: 401 }, request_id: body.request_id },
    { req: { method: 'GET', path: '/greet' }, res: { status: 200 }, request_id: String }
  ])
  t.equal(answered.length, 2)
  t.notMatch(JSON.stringify(lines), /eyJ|nonsense/)
})
