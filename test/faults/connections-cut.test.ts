import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { everyAnswerIsClean, recordHistory, timeToRecover } from './history.ts'

const REUSE_WINDOW = 2
const PASSWORD = 'a quiet harbour at dawn'
const NEW = 'a louder harbour at noon'

await buildFirst()
const database = await startDatabase(t)
const { auth } = await startPair(t, {
  DATABASE_URL: database.url,
  REFRESH_REUSE_WINDOW: `${REUSE_WINDOW}s`,
  RATE_LIMIT_PER_MINUTE: '0'
})
const { send, operations } = recordHistory(() => auth.url)
const { proxy } = database

let people = 0
async function person() {
  people += 1
  const email = `person${people}@example.com`
  await send('POST /signup', { body: { email, username: 'Person', password: PASSWORD } })
  const { body } = await send('POST /login', { body: { email, password: PASSWORD } })
  const login = async (password: string) => (await send('POST /login', { body: { email, password } })).status
  const change = { current_password: PASSWORD, new_password: NEW }
  return {
    email,
    refreshToken: body['refresh_token'],
    login,
    change: () => send('POST /change-password', { token: body['access_token'], body: change })
  }
}
const refresh = (token: string | undefined) => send('POST /refresh-token', { token })

t.test('a change whose connection is cut before its commit never was, and can be repeated', async (t) => {
  const ada = await person()
  const [, changed] = await Promise.all([proxy.cutAt({ from: 'client', text: 'COMMIT' }), ada.change()])
  t.equal(changed.status, 503)
  t.equal(await ada.login(PASSWORD), 200)
  t.equal(await ada.login(NEW), 401)
  t.equal((await refresh(ada.refreshToken)).status, 200, 'its sessions live')
  t.equal((await ada.change()).status, 200)
  t.equal(await ada.login(NEW), 200)
})

t.test('a change whose commit was done and whose answer was lost is whole', async (t) => {
  const ada = await person()
  const [, changed] = await Promise.all([proxy.cutAt({ from: 'server', text: 'COMMIT' }), ada.change()])
  t.equal(changed.status, 503)
  t.equal((await refresh(ada.refreshToken)).status, 401, 'its sessions are over')
  t.equal((await ada.change()).status, 401, 'a repetition finds itself logged out')
  t.equal(await ada.login(PASSWORD), 401)
  t.equal(await ada.login(NEW), 200)
})

t.test('a signup whose answer was lost finds its address taken', async (t) => {
  const body = { email: 'lost@example.com', username: 'Lost', password: PASSWORD }
  const lost = proxy.cutAt({ from: 'server', text: 'INSERT 0 1' })
  const [, signup] = await Promise.all([lost, send('POST /signup', { body })])
  t.equal(signup.status, 503)
  t.match(await send('POST /signup', { body }), { status: 409, body: { code: 'email_taken' } })
  t.equal((await send('POST /login', { body: { email: body.email, password: PASSWORD } })).status, 200)
})

t.test('a refresh that failed has spent nothing, whichever way it failed', async (t) => {
  const ada = await person()
  const lost = await Promise.all([proxy.cutAt({ from: 'server', text: 'UPDATE 1' }), refresh(ada.refreshToken)])
  t.equal(lost[1].status, 503)
  const again = await refresh(ada.refreshToken)
  t.equal(again.status, 200, 'after its commit')
  proxy.cut()
  await timeToRecover(() => send('GET /readyz'))
  const { refresh_token: next } = again.body
  const never = await Promise.all([proxy.cutAt({ from: 'client', text: 'UPDATE sessions' }), refresh(next)])
  t.equal(never[1].status, 503)
  t.equal((await refresh(next)).status, 200, 'before it')
})

t.test('a superseded refresh token is still refused after the service was killed', async (t) => {
  const ada = await person()
  const { body } = await refresh(ada.refreshToken)
  await auth.kill()
  await auth.start()
  await sleep(REUSE_WINDOW * 1000)
  t.equal((await refresh(ada.refreshToken)).status, 401)
  t.equal((await refresh(body['refresh_token'])).status, 401, 'and its session is over')
})

t.test('all connections are cut at once, again and again: no answer is worse than 503', async (t) => {
  const ada = await person()
  let over = false
  const asking = Array.from({ length: 4 }, async () => {
    while (!over) await ada.login(PASSWORD)
  })
  for (let i = 0; i < 20; i += 1) {
    await sleep(50)
    proxy.cut()
  }
  over = true
  await Promise.all(asking)
  await timeToRecover(() => send('GET /readyz'))
  t.equal(await ada.login(PASSWORD), 200)
  everyAnswerIsClean(t, operations)
  t.notMatch(auth.output(), /"code":"internal_error"|uncaught/)
})
