import { createDatabase, runStatement } from '@latchkey/testing/database'
import t from 'tap'
import { startPair } from './pair.ts'

const ada = { email: 'ada@example.com', username: 'Ada', password: 'correct horse battery' }
const credentials = { email: ada.email, password: ada.password }
const newPassword = 'staple of another kind'

t.test('a person signs up, logs in, is greeted, refreshes and changes the password', async (t) => {
  const { auth, resource } = await startPair(t)
  const post = (path: string, body: object, token?: string) => call(auth.url + path, { method: 'POST', body, token })
  const greet = (token = '') => call(`${resource.url}/greet`, { token })
  const refresh = (token = '') => call(`${auth.url}/refresh-token`, { token })

  const account = await post('/signup', ada)
  t.match(account, { status: 201, body: { email: ada.email, username: 'Ada', roles: ['user'] } })

  const first = await post('/login', { email: 'ADA@example.com', password: ada.password })
  t.match(first, { status: 200, body: { token_type: 'Bearer', expires_in: 900, username: 'Ada' } })
  const other = await post('/login', credentials)
  t.equal(other.status, 200, 'a second device logs in')

  t.match(await greet(first.body.access_token), {
    status: 200,
    body: { message: 'Hello, Ada!', user_id: account.body.id }
  })
  t.match(await greet(first.body.refresh_token), { status: 401, body: { code: 'invalid_token' } })
  t.match(await refresh(first.body.access_token), { status: 401, body: { code: 'invalid_token' } })

  const refreshed = await refresh(first.body.refresh_token)
  t.equal(refreshed.status, 200)
  t.equal((await greet(refreshed.body.access_token)).status, 200)

  const renamed = await call(`${auth.url}/update-username`, {
    method: 'PUT',
    body: { username: 'Ada Lovelace' },
    token: first.body.access_token
  })
  t.match(renamed, { status: 200, body: { username: 'Ada Lovelace' } })

  const change = { current_password: ada.password, new_password: newPassword }
  const changed = await post('/change-password', change, refreshed.body.access_token)
  t.equal(changed.status, 200)
  for (const old of [first, refreshed, other]) {
    t.match(await refresh(old.body.refresh_token), { status: 401, body: { code: 'invalid_token' } })
  }
  t.equal((await refresh(changed.body.refresh_token)).status, 200, 'the caller goes on')
  t.match(await greet(changed.body.access_token), { body: { message: 'Hello, Ada Lovelace!' } })
  t.match(await post('/login', credentials), { status: 401, body: { code: 'invalid_credentials' } })
  t.equal((await post('/login', { email: ada.email, password: newPassword })).status, 200)

  t.equal(await auth.stop(), 0, 'the auth service ends in order')
  t.equal((await greet(changed.body.access_token)).status, 200, 'greeted while the auth service is stopped')
  t.equal(await resource.stop(), 0, 'the resource service ends in order')
  await resource.start()
  t.equal((await greet(changed.body.access_token)).status, 200, 'greeted after a restart without the auth service')

  const lines = (auth.output() + resource.output()).trim().split('\n')
  t.doesNotThrow(() => lines.map((line) => JSON.parse(line)), 'every log line is JSON')
  for (const secret of [ada.password, newPassword, 'eyJ', '$2b$']) {
    t.strictSame(
      lines.filter((line) => line.includes(secret)),
      [],
      `no log line holds ${secret}`
    )
  }
})

t.test('what a resource service is shown does not open administration, and what does is refused there', async (t) => {
  const DATABASE_URL = await createDatabase(t)
  const { auth, resource } = await startPair(t, { DATABASE_URL })
  await call(`${auth.url}/signup`, { method: 'POST', body: ada })
  await runStatement(DATABASE_URL, "UPDATE users SET roles = '{user,admin}', epoch = epoch + 1")
  const uses = async (token = '') => [
    (await call(`${auth.url}/users`, { token })).status,
    (await call(`${auth.url}/me`, { token })).status,
    (await call(`${resource.url}/greet`, { token })).status
  ]
  const plain = await call(`${auth.url}/login`, { method: 'POST', body: credentials })
  t.same(await uses(plain.body.access_token), [403, 200, 200])
  const query = `?resource=${encodeURIComponent(auth.url)}`
  const own = await call(`${auth.url}/refresh-token${query}`, { token: plain.body.refresh_token })
  t.same(await uses(own.body.access_token), [200, 200, 401])
})

interface Answer {
  readonly status: number
  readonly body: Record<string, string>
}

async function call(
  url: string,
  { method = 'GET', body, token }: { method?: string; body?: object; token?: string | undefined }
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` })
    },
    ...(body && { body: JSON.stringify(body) })
  })
  return { status: answer.status, body: (await answer.json()) as Answer['body'] }
}
