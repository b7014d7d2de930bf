import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { everyAnswerIsClean, LONGEST_RECOVERY, recordHistory, timeToRecover } from './history.ts'

await buildFirst()
const database = await startDatabase(t)

t.test('PostgreSQL takes no writes: they are 503, reads go on, and writes come back by themselves', async (t) => {
  const { auth, resource } = await startPair(t, { DATABASE_URL: database.url })
  const { send, operations } = recordHistory(() => auth.url)
  const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }
  const bob = { ...ada, email: 'bob@example.com' }
  const credentials = { email: ada.email, password: ada.password }
  t.equal((await send('POST /signup', { body: ada })).status, 201)
  const { body: tokens } = await send('POST /login', { body: credentials })

  const setReadOnly = async (value: 'on' | 'off') => {
    await database.run(`ALTER SYSTEM SET default_transaction_read_only = ${value}`)
    await database.run('SELECT pg_reload_conf()')
  }
  await setReadOnly('on')
  const refused = [
    await send('POST /signup', { body: bob }),
    await send('POST /login', { body: credentials }),
    await send('POST /refresh-token', { token: tokens['refresh_token'] }),
    await send('POST /logout', { token: tokens['refresh_token'] }),
    await send('POST /logout-everywhere', { token: tokens['access_token'] })
  ]
  for (const { name, status } of refused) t.equal(status, 503, name)
  for (const line of ['GET /me', 'GET /sessions']) {
    t.equal((await send(line, { token: tokens['access_token'] })).status, 200, line)
  }
  for (const line of ['GET /healthz', 'GET /.well-known/jwks.json']) t.equal((await send(line)).status, 200, line)
  const greeting = recordHistory(() => resource.url)
  t.equal((await greeting.send('GET /greet', { token: tokens['access_token'] })).status, 200)

  await setReadOnly('off')
  const recovery = await timeToRecover(() => send('POST /signup', { body: bob }))
  t.ok(recovery < LONGEST_RECOVERY, `recovered within ${recovery} ms`)
  t.equal((await send('POST /refresh-token', { token: tokens['refresh_token'] })).status, 200, 'nothing was spent')
  everyAnswerIsClean(t, operations)
})
