import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import { createDatabase } from '@latchkey/testing/database'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { everyAnswerIsClean, recordHistory, recovers, timeToRecover, UNFORESEEN, WITHOUT_DATABASE } from './history.ts'
import { startProxy } from './proxy.ts'

/** In seconds. */
const TIMEOUT = 2
const PASSWORD = 'a quiet harbour at dawn'
const NEW = 'a louder harbour at noon'

await buildFirst()
const proxy = await startProxy(t)
const database = await createDatabase(t)
proxy.connectTo(database)
const { auth } = await startPair(t, {
  DATABASE_URL: proxy.urlOf(database),
  ANSWER_TIMEOUT: `${TIMEOUT}s`,
  PASSWORD_TIMEOUT: `${TIMEOUT}s`,
  RATE_LIMIT_PER_MINUTE: '0'
})
const { send, operations } = recordHistory(() => auth.url)

let people = 0
async function person() {
  people += 1
  const email = `person${people}@example.com`
  await send('POST /signup', { body: { email, username: 'Person', password: PASSWORD } })
  const { body } = await send('POST /login', { body: { email, password: PASSWORD } })
  const login = (password: string) => send('POST /login', { body: { email, password } })
  const change = { current_password: PASSWORD, new_password: NEW }
  return {
    email,
    refreshToken: body['refresh_token'],
    login: async (password: string) => (await login(password)).status,
    me: () => send('GET /me', { token: body['access_token'] }),
    change: () => send('POST /change-password', { token: body['access_token'], body: change })
  }
}
const refresh = (token: string | undefined) => send('POST /refresh-token', { token })

t.test('a change whose connection is reset before its commit never was, and can be repeated', async (t) => {
  const ada = await person()
  const [, changed] = await Promise.all([proxy.resetAt({ from: 'client', text: 'COMMIT' }), ada.change()])
  t.equal(changed.status, 503)
  t.equal(await ada.login(PASSWORD), 200)
  t.equal(await ada.login(NEW), 401)
  t.equal((await refresh(ada.refreshToken)).status, 200, 'its sessions live')
  t.equal((await ada.change()).status, 200)
  t.equal(await ada.login(NEW), 200)
})

t.test('a change whose commit was done and whose answer was lost is whole', async (t) => {
  const ada = await person()
  const [, changed] = await Promise.all([proxy.resetAt({ from: 'server', text: 'COMMIT' }), ada.change()])
  t.equal(changed.status, 503)
  t.equal((await refresh(ada.refreshToken)).status, 401, 'its sessions are over')
  t.equal((await ada.change()).status, 401, 'a repetition finds itself logged out')
  t.equal(await ada.login(PASSWORD), 401)
  t.equal(await ada.login(NEW), 200)
})

t.test('a signup whose answer was lost finds its address taken', async (t) => {
  const body = { email: 'lost@example.com', username: 'Lost', password: PASSWORD }
  const lost = proxy.resetAt({ from: 'server', text: 'COMMIT' })
  const [, signup] = await Promise.all([lost, send('POST /signup', { body })])
  t.equal(signup.status, 503)
  t.match(await send('POST /signup', { body }), { status: 409, body: { code: 'email_taken' } })
  t.equal((await send('POST /login', { body: { email: body.email, password: PASSWORD } })).status, 200)
})

t.test('a refresh that failed has spent nothing, whichever way it failed', async (t) => {
  const ada = await person()
  const lost = await Promise.all([proxy.resetAt({ from: 'server', text: 'UPDATE 1' }), refresh(ada.refreshToken)])
  t.equal(lost[1].status, 503)
  const again = await refresh(ada.refreshToken)
  t.equal(again.status, 200, 'after its commit')
  proxy.cut()
  await timeToRecover(() => send('GET /readyz'))
  const { refresh_token: next } = again.body
  const never = await Promise.all([proxy.resetAt({ from: 'client', text: 'UPDATE sessions' }), refresh(next)])
  t.equal(never[1].status, 503)
  t.equal((await refresh(next)).status, 200, 'before it')
})

t.test('a slow network: what fits into the time is done, and what does not is 503 within it', async (t) => {
  const ada = await person()
  proxy.delay(400)
  const mine = await ada.me()
  t.equal(mine.status, 200, 'one round trip')
  between(t, mine.ms, { least: 800 }, 'milliseconds')
  t.equal(await ada.login(PASSWORD), 503, 'a login needs four')
  proxy.delay(0)
  t.equal(await ada.login(PASSWORD), 200)
})

t.test('a silent network: nobody waits longer than promised, nothing is begun, and all goes on after it', async (t) => {
  const ada = await person()
  await Promise.all([ada.me(), ada.me(), ada.me()])
  proxy.stall()
  // More than there are connections, so that some try a new one.
  const all = await Promise.all([
    ...[ada.me(), ada.change(), refresh(ada.refreshToken), send('GET /readyz')],
    ...[ada.login(PASSWORD), ada.login(PASSWORD), ada.login(PASSWORD)].map(async (login) => ({ status: await login }))
  ])
  t.strictSame(new Set(all.map(({ status }) => status)), new Set([503]))
  for (const line of WITHOUT_DATABASE) t.equal((await send(line)).status, 200, line)
  proxy.flow()
  await recovers(t, () => send('GET /readyz'))
  t.equal(await ada.login(PASSWORD), 200, 'the password is the old one')
  t.equal((await refresh(ada.refreshToken)).status, 200)
})

t.test('all connections end or are reset, again and again: no answer is worse than 503', async (t) => {
  const ada = await person()
  let over = false
  const asking = Array.from({ length: 4 }, async () => {
    while (!over) await ada.login(PASSWORD)
  })
  for (let i = 0; i < 20; i += 1) {
    await sleep(50)
    if (i % 2) proxy.cut()
    else proxy.reset()
  }
  over = true
  await Promise.all(asking)
  await timeToRecover(() => send('GET /readyz'))
  t.equal(await ada.login(PASSWORD), 200)
  everyAnswerIsClean(t, operations, TIMEOUT * 1000)
  t.notMatch(auth.output(), UNFORESEEN)
})
