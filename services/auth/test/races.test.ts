import { setTimeout as sleep } from 'node:timers/promises'
import { unavailable } from '@latchkey/problems/problem'
import { between } from '@latchkey/testing/between'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { disableUser, enableUser, grantRole } from '../src/administration/actions.ts'
import { logOutEverywhere, revokeEverybody } from '../src/sessions/revocation.ts'
import type { Caller } from '../src/sessions/rows.ts'
import { type Auth, PASSWORD, type Person, startAuth, type Tokens } from './app.ts'
import { directPool } from './hash-pool.ts'
import { addSessions, aStatementWaits, ENDINGS, everythingOf, liveSessions } from './sessions.ts'
import { claimsOf } from './tokens.ts'

const hashPool = directPool()
const auth = await startAuth(t, { hashPool })
// A second instance with the same database, where BCRYPT_COST was raised.
const raised = await startAuth(t, { cost: 5, hashPool, env: { DATABASE_URL: auth.config.DATABASE_URL } })
const NEW = 'a louder harbour at noon'
const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status).sort()

t.test('of twenty who sign up one address at once, in every letter case, one gets it', async (t) => {
  const held = Array.from({ length: 20 }, () => hashPool.hold('hash'))
  const all = held.map((_, i) => {
    const email = [...'contested@example.com'].map((c, at) => ((i >> (at % 5)) & 1 ? c.toUpperCase() : c)).join('')
    return auth.send('POST /signup', { body: { email, username: `Person ${i}`, password: PASSWORD } })
  })
  await Promise.all(held.map(({ begun }) => begun))
  for (const { release } of held) release()
  const answers = await Promise.all(all)
  t.strictSame(statuses(answers), [201, ...Array(19).fill(409)])
  for (const answer of answers.filter(({ status }) => status === 409)) isProblem(t, answer, 'email_taken')
  const rows = await auth.database.query("SELECT id FROM users WHERE lower(email) = 'contested@example.com'")
  t.strictSame(rows, [{ id: answers.find(({ status }) => status === 201)?.body.id }])
})

t.test('of four changes that all compared the old password, one wins', async (t) => {
  const ada = await auth.person()
  const devices = [ada, await auth.login(ada), await auth.login(ada), await auth.login(ada)]
  const held = devices.map(() => hashPool.hold('hash'))
  const all = devices.map(({ access_token: token }, i) =>
    auth.send('POST /change-password', { token, body: { current_password: PASSWORD, new_password: `${NEW} ${i}` } })
  )
  await Promise.all(held.map(({ begun }) => begun))
  for (const { release } of held) release()
  const answers = await Promise.all(all)
  t.strictSame(statuses(answers), [200, 401, 401, 401])
  for (const answer of answers.filter(({ status }) => status === 401)) isProblem(t, answer, 'invalid_token')
  const winner = answers.findIndex(({ status }) => status === 200)
  const tokens = answers[winner]?.body
  t.equal(await liveSessions(auth.database, ada.id), 1)
  t.equal((await auth.send('GET /me', { token: tokens.access_token })).status, 200)
  t.equal((await auth.send('GET /refresh-token', { token: tokens.refresh_token })).status, 200)
  for (const [i] of devices.entries()) {
    const { status } = await auth.send('POST /login', { body: { email: ada.email, password: `${NEW} ${i}` } })
    t.equal(status, i === winner ? 200 : 401, `password ${i}`)
  }
})

t.test('a login whose password was compared before a change opens nothing after it', async (t) => {
  const ada = await auth.person()
  const held = hashPool.hold('verify')
  const login = auth.send('POST /login', { body: { email: ada.email, password: PASSWORD } })
  await held.begun
  const body = { current_password: PASSWORD, new_password: NEW }
  t.equal((await auth.send('POST /change-password', { token: ada.access_token, body })).status, 200)
  held.release()
  isProblem(t, await login, 'invalid_credentials')
  t.equal(await liveSessions(auth.database, ada.id), 1, "the changer's alone")
})

t.test('a login that opens its session while a change commits waits for it, and opens nothing', async (t) => {
  const ada = await auth.person()
  let login: ReturnType<typeof auth.send> | undefined
  await auth.database.transaction(async (connection) => {
    await connection.query("UPDATE users SET token_hash = sha256(token_hash), password_hash = '*' WHERE id = $1", [
      ada.id
    ])
    await connection.query("UPDATE sessions SET ended_at = now(), end_reason = 'password_changed' WHERE user_id = $1", [
      ada.id
    ])
    login = auth.send('POST /login', { body: { email: ada.email, password: PASSWORD } })
    await Promise.race([login, aStatementWaits(auth)])
  })
  isProblem(t, (await login) as never, 'invalid_credentials')
  t.equal(await liveSessions(auth.database, ada.id), 0)
})

t.test('a login starts over once when the token hash changed but the password did not', async (t) => {
  const ada = await auth.person()
  const rotate = () => auth.database.query('UPDATE users SET token_hash = sha256(token_hash) WHERE id = $1', [ada.id])
  const logIn = () => auth.send('POST /login', { body: { email: ada.email, password: PASSWORD } })
  const first = hashPool.hold('verify')
  const login = logIn()
  await first.begun
  await rotate()
  first.release()
  t.equal((await login).status, 200)

  const [one, two] = [hashPool.hold('verify'), hashPool.hold('verify')]
  const another = logIn()
  await one.begun
  await rotate()
  one.release()
  await two.begun
  await rotate()
  two.release()
  isProblem(t, await another, 'invalid_credentials')
})

const MEANWHILE = {
  ...ENDINGS,
  'the token hash changed': 'UPDATE users SET token_hash = sha256(token_hash) WHERE id = $1',
  'the hash of the password changed': "UPDATE users SET password_hash = '*' WHERE id = $1"
}

for (const [name, statement] of Object.entries(MEANWHILE)) {
  t.test(`a change of the password changes nothing when ${name} while it was hashed`, async (t) => {
    const ada = await auth.person()
    const held = hashPool.hold('hash')
    const body = { current_password: PASSWORD, new_password: NEW }
    const change = auth.send('POST /change-password', { token: ada.access_token, body })
    await held.begun
    await auth.database.query(statement, [ada.id])
    const before = await everythingOf(auth.database, ada.id)
    held.release()
    isProblem(t, await change, 'invalid_token')
    t.strictSame(await everythingOf(auth.database, ada.id), before)
  })
}

t.test('another session does not stand in for that of the caller', async (t) => {
  const ada = await auth.person()
  const other = await auth.login(ada)
  const held = hashPool.hold('hash')
  const body = { current_password: PASSWORD, new_password: NEW }
  const change = auth.send('POST /change-password', { token: ada.access_token, body })
  await held.begun
  const end = "UPDATE sessions SET ended_at = now(), end_reason = 'evicted' WHERE id = $1"
  await auth.database.query(end, [claimsOf(ada.access_token)['sid']])
  held.release()
  isProblem(t, await change, 'invalid_token')
  t.equal((await auth.send('GET /me', { token: other.access_token })).status, 200)
})

t.test('an account that is disabled while its password is compared opens nothing', async (t) => {
  const ada = await auth.person()
  const held = hashPool.hold('verify')
  const login = auth.send('POST /login', { body: { email: ada.email, password: PASSWORD } })
  await held.begun
  await auth.database.query('UPDATE users SET disabled_at = now() WHERE id = $1', [ada.id])
  held.release()
  isProblem(t, await login, 'account_disabled')
  t.equal(await liveSessions(auth.database, ada.id), 1, 'none but the one before')
})

t.test('a deletion and a logout everywhere change nothing when the password changed meanwhile', async (t) => {
  const ada = await auth.person()
  const phone = await auth.login(ada)
  const held = hashPool.hold('verify')
  const body = { current_password: PASSWORD }
  const deletion = auth.send('DELETE /me', { token: phone.access_token, body })
  await held.begun
  const change = { current_password: PASSWORD, new_password: NEW }
  const { body: tokens } = await auth.send('POST /change-password', { token: ada.access_token, body: change })
  held.release()
  isProblem(t, await deletion, 'invalid_token')

  const outside = await auth.database.query<Caller>('SELECT * FROM users WHERE id = $1', [ada.id])
  const stale = { ...(outside[0] as Caller), sid: String(claimsOf(phone.access_token)['sid']) }
  await t.rejects(logOutEverywhere(auth.operator, stale), { code: 'invalid_token' }, 'of a session that is over')
  t.equal((await auth.send('GET /me', { token: tokens.access_token })).status, 200)
})

// Tabs that go on refreshing at two instances while something ends their session: every token that was issued before the
// end was acknowledged is dead after it.
const ENDS: Record<string, (at: Auth, ada: Person) => Promise<{ status: number; body: Partial<Tokens> }>> = {
  'POST /change-password': (at, { access_token: token }) =>
    at.send('POST /change-password', { token, body: { current_password: PASSWORD, new_password: NEW } }),
  'POST /logout-everywhere': (at, { access_token: token }) => at.send('POST /logout-everywhere', { token }),
  'POST /logout': (at, { refresh_token: token }) => at.send('POST /logout', { token }),
  'DELETE /sessions': (at, { access_token: token }) => at.send(`DELETE /sessions/${claimsOf(token)['sid']}`, { token }),
  'DELETE /me': (at, { access_token: token }) => at.send('DELETE /me', { token, body: { current_password: PASSWORD } })
}

for (const [line, end] of Object.entries(ENDS)) {
  t.test(`no token that was issued before ${line} works after it, however many refresh meanwhile`, async (t) => {
    for (let round = 0; round < 10; round += 1) {
      const ada = await auth.person()
      const issued = [ada.refresh_token]
      const shown = [0, 0, 0]
      let over = false
      const tab = async (at: Auth, own: number) => {
        while (!over) {
          const latest = issued.length - 1
          shown[own] = latest
          // Eight generations are remembered: a request that others outrun by more, on a busy machine, is taken for theft.
          if (latest - Math.min(...shown) > 6) {
            await sleep(1)
            continue
          }
          const { status, body } = await at.send('POST /refresh-token', { token: issued[latest] })
          if (status === 200) issued.push(body.refresh_token)
        }
      }
      const tabs = [auth, raised, auth].map(tab)
      while (issued.length < 4) await sleep(1)
      const { status, body } = await end(raised, ada)
      const known = [...issued]
      over = true
      await Promise.all(tabs)
      t.match(String(status), /^20[04]$/, `with ${issued.length} tokens`)
      const answers = await Promise.all(
        [...new Set([...known, ...issued])].map((token) => auth.send('POST /refresh-token', { token }))
      )
      t.strictSame(new Set(statuses(answers)), new Set([401]), `${answers.length} tokens`)
      if (body.refresh_token) {
        t.equal((await auth.send('POST /refresh-token', { token: body.refresh_token })).status, 200, 'but the new one')
      }
    }
  })
}

t.test('of logins at once beyond the hundredth session no more than a hundred stay', async (t) => {
  const ada = await auth.person()
  await addSessions(auth.database, ada.id, 98, 9 * 24)
  const all = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? auth : raised).login(ada)))
  t.equal(await liveSessions(auth.database, ada.id), 100)
  const answers = await Promise.all(all.map(({ access_token: token }) => auth.send('GET /me', { token })))
  t.strictSame(new Set(statuses(answers)), new Set([200]), 'and the new ones are among them')
})

t.test('ending everybody’s sessions and changes of administrators do not stop each other', async (t) => {
  const people = await Promise.all(Array.from({ length: 6 }, () => auth.person()))
  for (const { id } of people.slice(0, 3)) await grantRole(auth.operator, { id }, 'admin')
  for (let round = 0; round < 5; round += 1) {
    const [count] = await Promise.all([
      revokeEverybody(raised.operator, { command: 'test', ahead: 5 }),
      ...people.map(({ id }) => enableUser(auth.operator, { id })),
      ...people.map(({ id }) => disableUser(auth.operator, { id }).catch(() => {}))
    ])
    between(t, count, { least: people.length })
  }
  for (const { id } of people) t.equal(await liveSessions(auth.database, id), 0)
})

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
  const ada = await auth.person()
  const old = await rowOf(ada.id)
  await raised.login(ada)
  const { password_hash, ...rest } = await rowOf(ada.id)
  t.match(password_hash, /^\$2b\$05\$/)
  t.strictSame(rest, { token_hash: old.token_hash, epoch: 0 })
  t.equal((await raised.send('GET /refresh-token', { token: ada.refresh_token })).status, 200)
  await raised.login(ada)
  t.equal((await rowOf(ada.id)).password_hash, password_hash, 'and once is enough')
})

t.test('where no thread has time to renew a hash, the login goes on with the old one', async (t) => {
  const ada = await auth.person()
  const old = await rowOf(ada.id)
  const held = hashPool.hold('hash')
  held.begun.then(() => held.fail(unavailable('hashing: too much to do')))
  t.equal((await raised.send('POST /login', { body: { email: ada.email, password: PASSWORD } })).status, 200)
  t.strictSame(await rowOf(ada.id), old)
  const broken = hashPool.hold('hash')
  broken.begun.then(() => broken.fail(new Error('the wheel came off')))
  isProblem(t, await raised.send('POST /login', { body: { email: ada.email, password: PASSWORD } }), 'internal_error')
})

t.test('a wrong password renews nothing, nor does an instance of lower cost', async (t) => {
  const ada = await auth.person()
  const old = await rowOf(ada.id)
  await raised.send('POST /login', { body: { email: ada.email, password: 'not the password' } })
  t.strictSame(await rowOf(ada.id), old)
  await raised.login(ada)
  const renewed = await rowOf(ada.id)
  await auth.login(ada)
  t.strictSame(await rowOf(ada.id), renewed)
})

t.test('a hash that is renewed while the password changes does not bring the old one back', async (t) => {
  const ada = await auth.person()
  const held = hashPool.hold('hash')
  const login = raised.send('POST /login', { body: { email: ada.email, password: PASSWORD } })
  await held.begun
  const body = { current_password: PASSWORD, new_password: NEW }
  t.equal((await auth.send('POST /change-password', { token: ada.access_token, body })).status, 200)
  const changed = await rowOf(ada.id)
  held.release()
  isProblem(t, await login, 'invalid_credentials')
  t.strictSame(await rowOf(ada.id), changed)
  t.equal(await liveSessions(raised.database, ada.id), 1)
  isProblem(
    t,
    await raised.send('POST /login', { body: { email: ada.email, password: PASSWORD } }),
    'invalid_credentials'
  )
})
