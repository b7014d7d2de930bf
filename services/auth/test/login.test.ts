import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { PASSWORD, startAuth } from './app.ts'
import { directPool } from './hash-pool.ts'
import { testKeys } from './keys.ts'
import { claimsOf } from './tokens.ts'

const hashPool = directPool()
const auth = await startAuth(t, { hashPool })
const ada = await auth.person({ email: 'Ada@Example.com', username: 'Ada' })
const logIn = (changes: object = {}) =>
  auth.send('POST /login', { body: { email: ada.email, password: PASSWORD, ...changes } })

t.test('a person logs in and gets a pair of tokens', async (t) => {
  const { status, headers, body } = await logIn()
  t.equal(status, 200)
  t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  const { access_token, refresh_token, ...rest } = body
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, refresh_expires_in: 2_592_000, username: 'Ada' })
  t.match(await auth.send('GET /me', { token: access_token }), { status: 200, body: { id: ada.id } })
  t.match(await auth.send('GET /refresh-token', { token: refresh_token }), { status: 200 })
})

t.test('the letter case of the address does not matter', async (t) => {
  for (const email of ['ada@example.com', 'ADA@EXAMPLE.COM']) t.match(await logIn({ email }), { status: 200 }, email)
})

t.test('each login opens a session of its own', async (t) => {
  const [one, two] = [claimsOf((await logIn()).body.access_token), claimsOf((await logIn()).body.access_token)]
  t.not(one['sid'], two['sid'], 'another sid')
  t.not(one['jti'], two['jti'], 'another jti')
  const rows = await auth.database.query<{ ended_at: null }>('SELECT ended_at FROM sessions WHERE id = ANY($1)', [
    [one['sid'], two['sid']]
  ])
  t.strictSame(rows, [{ ended_at: null }, { ended_at: null }])
})

t.test('a wrong password opens nothing', async (t) => {
  const sessions = () => auth.database.query('SELECT id FROM sessions')
  const before = await sessions()
  for (const password of ['', `${PASSWORD} `, PASSWORD.toUpperCase(), PASSWORD.slice(0, -1), 'x'.repeat(300)]) {
    isProblem(t, await logIn({ password }), 'invalid_credentials', [], JSON.stringify(password))
  }
  isProblem(t, await logIn({ email: 'nobody@example.com' }), 'invalid_credentials', [], 'nobody')
  t.strictSame(await sessions(), before)
})

t.test('a disabled account says so only to who knows the password', async (t) => {
  const eve = await auth.person({ email: 'eve@example.com' })
  await auth.database.query('UPDATE users SET disabled_at = now() WHERE id = $1', [eve.id])
  isProblem(t, await logIn({ email: eve.email }), 'account_disabled')
  isProblem(t, await logIn({ email: eve.email, password: 'not the password' }), 'invalid_credentials')
})

t.test('a deleted account is nobody, and its address is free again', async (t) => {
  const old = await auth.person({ email: 'gone@example.com' })
  await auth.database.query('UPDATE users SET deleted_at = now() WHERE id = $1', [old.id])
  isProblem(t, await logIn({ email: old.email }), 'invalid_credentials', [], 'before its data are erased')
  await auth.database.query(
    'UPDATE users SET email = NULL, username = NULL, password_hash = NULL, token_hash = NULL WHERE id = $1',
    [old.id]
  )
  isProblem(t, await logIn({ email: old.email }), 'invalid_credentials')
  const another = await auth.person({ email: 'gone@example.com' })
  t.not(another.id, old.id, 'with another id')
})

t.test('a password is the same from every keyboard', async (t) => {
  const spellings = ['caf\u00e9 au lait', 'cafe\u0301 au lait', 'cafe\u0301\u00a0au\u3000lait']
  for (const [i, chosen] of spellings.entries()) {
    const { email } = await auth.person({ email: `cafe${i}@example.com`, password: chosen })
    for (const password of spellings) t.match(await logIn({ email, password }), { status: 200 })
  }
})

t.test('no two passwords open one account by what bcrypt does not see', async (t) => {
  const longest = 'x'.repeat(72)
  const { email } = await auth.person({ password: longest })
  t.match(await logIn({ email, password: longest }), { status: 200 })
  isProblem(t, await logIn({ email, password: `${longest}y` }), 'invalid_credentials', [], '73 bytes')
  const han = await auth.person({ password: '€'.repeat(24) })
  isProblem(
    t,
    await logIn({ email: han.email, password: `${'€'.repeat(24)}1` }),
    'invalid_credentials',
    [],
    '24 € and 1'
  )
  isProblem(t, await logIn({ email, password: 'x'.repeat(300) }), 'invalid_credentials', [], '300 bytes')
})

t.test('half a character is no text: two such passwords would be equal in UTF-8', async (t) => {
  const { email } = await auth.person({ password: 'broken \ufffd heart' })
  isProblem(t, await logIn({ email, password: 'broken \ud800 heart' }), 'invalid_input', ['password'])
})

// Nobody finds out by /login whether an address has an account: neither by what is answered nor by the work it takes.
// The work is counted, not timed.
async function tryToLogIn(email: string, password = 'not the password'): Promise<{ answer: unknown; jobs: unknown[] }> {
  hashPool.jobs.length = 0
  const { status, headers, body } = await auth.send('POST /login', { body: { email, password } })
  const { date: _, ...rest } = headers
  const jobs = hashPool.jobs.map((job) => ({ ...job, deadline: 0, hash: job.op === 'verify' && shapeOf(job.hash) }))
  return { answer: { status, headers: rest, body: { ...body, request_id: '' } }, jobs }
}

function shapeOf(hash: string): object {
  return { cost: hash.slice(0, 7), length: hash.length }
}

t.test('a known and an unknown address get one answer, for one and the same work', async (t) => {
  const wrong = await tryToLogIn(ada.email)
  const unknown = await tryToLogIn('nobody@example.com')
  t.strictSame(unknown, wrong)
  t.strictSame(unknown.jobs, [
    { op: 'verify', password: 'not the password', cost: 4, deadline: 0, hash: { cost: '$2b$04$', length: 60 } }
  ])
})

t.test('so do passwords that are too long, empty, or not as they are kept', async (t) => {
  for (const password of ['', 'x'.repeat(100), 'cafe\u0301\u00a0']) {
    t.strictSame(await tryToLogIn('nobody@example.com', password), await tryToLogIn(ada.email, password))
  }
})

t.test('so does a disabled account', async (t) => {
  const disabled = await auth.person()
  await auth.database.query('UPDATE users SET disabled_at = now() WHERE id = $1', [disabled.id])
  t.strictSame(await tryToLogIn('nobody@example.com'), await tryToLogIn(disabled.email))
})

t.test(
  'the signature of a token that is shown is checked as often for a known address as for an unknown one',
  async (t) => {
    let checks = 0
    const { access, refresh } = await testKeys()
    const counting = {
      current: refresh.current,
      get accepted() {
        checks += 1
        return refresh.accepted
      }
    }
    const auth = await startAuth(t, { keys: { access, refresh: counting } })
    const [thief, victim] = [await auth.person(), await auth.person()]
    const checksOf = async (email: string) => {
      checks = 0
      const body = { email, password: 'not the password' }
      isProblem(t, await auth.send('POST /login', { body, token: thief.refresh_token }), 'invalid_credentials')
      return checks
    }
    t.strictSame([await checksOf(victim.email), await checksOf('nobody@example.com')], [1, 1])
  }
)
