import { isProblem, printable } from '@latchkey/testing/problem'
import t from 'tap'
import { renameUser } from '../src/users/change.ts'
import { startAuth } from './app.ts'
import { claimsOf } from './tokens.ts'

const auth = await startAuth(t)
const ada = await auth.person({ email: 'Ada@Example.com', username: 'Ada' })
const rename = (username: string) => auth.send('PUT /update-username', { token: ada.access_token, body: { username } })

t.test('a person takes another name, which the account and the next token show', async (t) => {
  const { status, headers, body } = await rename('Countess of Lovelace')
  t.equal(status, 200)
  t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  const { created_at, ...rest } = body
  t.strictSame(rest, {
    id: ada.id,
    email: 'Ada@Example.com',
    username: 'Countess of Lovelace',
    email_verified: false,
    roles: ['user']
  })
  t.match(created_at, /Z$/)
  t.match((await auth.send('GET /me', { token: ada.access_token })).body, body)
  const { access_token, username } = (await auth.send('POST /refresh-token', { token: ada.refresh_token })).body
  t.equal(username, 'Countess of Lovelace')
  t.equal(claimsOf(access_token)['preferred_username'], 'Countess of Lovelace')
})

t.test('the old access token goes on, with the old name', async (t) => {
  await rename('Another')
  t.equal((await auth.send('GET /me', { token: ada.access_token })).status, 200)
  t.equal(claimsOf(ada.access_token)['preferred_username'], 'Ada')
})

t.test('two people may have one name', async (t) => {
  await auth.person({ username: 'The same' })
  t.match(await rename('The same'), { status: 200, body: { username: 'The same' } })
})

t.test('names are kept in NFC and without white space around them', async (t) => {
  const kept: [sent: string, kept: string][] = [
    ['  Ada  ', 'Ada'],
    ['\u00a0\u3000\ufeffAda\u2003', 'Ada'],
    ['\tAda\r\n', 'Ada'],
    ['Ada  Lovelace', 'Ada  Lovelace'],
    ['Ame\u0301lie', 'Am\u00e9lie'],
    ['e\u0301'.repeat(64), '\u00e9'.repeat(64)],
    [` ${'x'.repeat(64)} `, 'x'.repeat(64)],
    ['😀'.repeat(64), '😀'.repeat(64)],
    ['x', 'x'],
    [`<b>"Ada" & 'co'</b> {{y}} %s \\`, `<b>"Ada" & 'co'</b> {{y}} %s \\`],
    ['עדה', 'עדה'],
    ['👩‍💻', '👩‍💻'],
    ["'; DROP TABLE users; --", "'; DROP TABLE users; --"],
    ['null', 'null'],
    ['__proto__', '__proto__']
  ]
  for (const [sent, name] of kept) {
    t.match(await rename(sent), { status: 200, body: { username: name } }, printable(JSON.stringify(sent)))
    t.equal((await auth.send('GET /me', { token: ada.access_token })).body.username, name)
  }
})

t.test('what is no name is refused, and the old one stays', async (t) => {
  await rename('Ada')
  const refused = [
    '',
    ' ',
    '\u3000\ufeff',
    'x'.repeat(65),
    '😀'.repeat(65),
    'Ada\nLovelace',
    'Ada\rLovelace',
    'Ada\u2028Lovelace',
    'Ada\u2029Lovelace',
    'Ada\u0085Lovelace',
    'Ada\u0000',
    'Ada\u001b[31m',
    'Ada\tLovelace',
    'Ada\u007f',
    'Ada\u009f',
    'Ada\ud800',
    '\udc00Ada'
  ]
  for (const username of refused) {
    isProblem(t, await rename(username), 'invalid_input', ['username'], JSON.stringify(username))
  }
  t.equal((await auth.send('GET /me', { token: ada.access_token })).body.username, 'Ada')
})

t.test('an account that is disabled or deleted after its token was believed keeps its name', async (t) => {
  for (const ending of ['disabled_at', 'deleted_at']) {
    const { id } = await auth.person({ username: 'Before' })
    await auth.database.query(`UPDATE users SET ${ending} = now() WHERE id = $1`, [id])
    t.equal(await renameUser(auth.database, id, 'After'), undefined)
    t.strictSame(await auth.database.query('SELECT username FROM users WHERE id = $1', [id]), [{ username: 'Before' }])
  }
})

t.test('credentials that are missing or wrong', async (t) => {
  const body = { username: 'Eve' }
  isProblem(t, await auth.send('PUT /update-username', { body }), 'missing_token')
  isProblem(
    t,
    await auth.send('PUT /update-username', { body, headers: { authorization: 'Bearer' } }),
    'invalid_request'
  )
  isProblem(t, await auth.send('PUT /update-username', { body, token: ada.refresh_token }), 'invalid_token')
  t.equal((await auth.send('GET /me', { token: ada.access_token })).body.username, 'Ada')
})
