import t from 'tap'
import { isProblem } from '../../../packages/service/test/problem.ts'
import { PASSWORD, startAuth } from './app.ts'
import { directPool } from './hash-pool.ts'
import { liveSessions } from './sessions.ts'

// Two instances with one database: BCRYPT_COST was raised at the second.
const before = await startAuth(t, { cost: 4 })
const hashPool = directPool()
const raised = await startAuth(t, { cost: 5, hashPool, env: { DATABASE_URL: before.config.DATABASE_URL } })
const NEW = 'a louder harbour at noon'

interface Row {
  readonly password_hash: string
  readonly token_hash: Buffer
  readonly epoch: number
}

async function rowOf(id: string): Promise<Row> {
  const [row] = await raised.database.query<Row>('SELECT password_hash, token_hash, epoch FROM users WHERE id = $1', [
    id
  ])
  return row as Row
}

t.test('a login renews a hash of lower cost, and ends nothing', async (t) => {
  const ada = await before.person()
  const old = await rowOf(ada.id)
  await raised.login(ada)
  const { password_hash, ...rest } = await rowOf(ada.id)
  t.match(password_hash, /^\$2b\$05\$/)
  t.same(rest, { token_hash: old.token_hash, epoch: 0 })
  t.equal((await raised.send('GET /refresh-token', { token: ada.refresh_token })).status, 200)
  await raised.login(ada)
  t.equal((await rowOf(ada.id)).password_hash, password_hash, 'and once is enough')
})

t.test('a wrong password renews nothing, nor does an instance of lower cost', async (t) => {
  const ada = await before.person()
  const old = await rowOf(ada.id)
  await raised.send('POST /login', { body: { email: ada.email, password: 'not the password' } })
  t.same(await rowOf(ada.id), old)
  await raised.login(ada)
  const renewed = await rowOf(ada.id)
  await before.login(ada)
  t.same(await rowOf(ada.id), renewed)
})

t.test('a hash that is renewed while the password changes does not bring the old one back', async (t) => {
  const ada = await before.person()
  const held = hashPool.hold('hash')
  const login = raised.send('POST /login', { body: { email: ada.email, password: PASSWORD } })
  await held.begun
  const body = { current_password: PASSWORD, new_password: NEW }
  t.equal((await before.send('POST /change-password', { token: ada.access_token, body })).status, 200)
  const changed = await rowOf(ada.id)
  held.release()
  isProblem(t, await login, 'invalid_credentials')
  t.same(await rowOf(ada.id), changed)
  t.equal(await liveSessions(raised.database, ada.id), 1)
  isProblem(
    t,
    await raised.send('POST /login', { body: { email: ada.email, password: PASSWORD } }),
    'invalid_credentials'
  )
})
