import t from 'tap'
import { PASSWORD } from './app.ts'
import { settle, startWithMail } from './mail.ts'

const VICTIM = 'victim@example.com'

const changeOf = (current_password: string, new_password: string) => ({ current_password, new_password })

t.test('who deletes the account and signs up again gets no more mails for the address', async (t) => {
  const { server, auth } = await startWithMail(t)
  for (let round = 0; round < 5; round += 1) {
    const { access_token: token } = await auth.person({ email: round % 2 ? VICTIM : VICTIM.toUpperCase() })
    await settle(auth)
    await auth.send('DELETE /me', { token, body: { current_password: PASSWORD } })
  }
  t.equal(server.mails.length, 3)
})

t.test('many accounts that want one address send it three mails an hour', async (t) => {
  const { server, auth } = await startWithMail(t)
  for (let round = 0; round < 5; round += 1) {
    const { access_token: token } = await auth.person()
    await auth.send('PUT /update-email', { token, body: { email: VICTIM, current_password: PASSWORD } })
    await settle(auth)
  }
  t.equal(server.mails.filter(({ recipient }) => recipient === VICTIM).length, 3)
})

t.test(
  'warnings to an address that nobody has verified are limited, and those to a verified one are not',
  async (t) => {
    const { server, auth } = await startWithMail(t)
    const { access_token } = await auth.person({ email: VICTIM })
    const passwords = [PASSWORD, ...Array.from({ length: 10 }, (_, i) => `staple number ${i} of another kind`)]
    let token = access_token
    const change = async (from: number, to: number) => {
      const body = changeOf(passwords[from] ?? '', passwords[to] ?? '')
      token = (await auth.send('POST /change-password', { token, body })).body.access_token
      await settle(auth)
    }
    const warnings = () => server.mails.filter(({ subject }) => /password .* was changed/.test(subject ?? '')).length
    for (let i = 0; i < 5; i += 1) await change(i, i + 1)
    t.equal(warnings(), 3)
    await auth.database.query('UPDATE users SET email_verified = true')
    for (let i = 5; i < 9; i += 1) await change(i, i + 1)
    t.equal(warnings(), 7)
  }
)

t.test('a wish for an address that is repeated while its mail is sent is counted too', async (t) => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const { auth } = await startWithMail(t, {
    behaviour: { onMailFrom: (_address, _session, done) => void held.then(() => done()) }
  })
  const { access_token: token } = await auth.person()
  const ask = (i: number) =>
    auth.send('PUT /update-email', { token, body: { email: `new${i}@example.com`, current_password: PASSWORD } })
  const statuses = []
  for (let i = 0; i < 4; i += 1) statuses.push((await ask(i)).status)
  release()
  t.strictSame(statuses, [202, 202, 202, 429])
})

t.test('a warning goes to the address that the account had, also when it comes after the change', async (t) => {
  const { server, auth } = await startWithMail(t)
  const ada = await auth.person({ email: VICTIM })
  await settle(auth)
  const body = { email: 'thief@example.com', current_password: PASSWORD }
  await auth.send('PUT /update-email', { token: ada.access_token, body })
  const { code } = await server.take('thief@example.com')
  await settle(auth)
  // As if the mail server of the owner had not taken the warning yet.
  await auth.database.query(
    "UPDATE mails SET done_at = NULL, outcome = NULL, due_at = now() + interval '1 hour' WHERE purpose = 'email_change_asked'"
  )
  server.mails.length = 0
  const verify = { email: 'thief@example.com', code }
  t.equal((await auth.send('POST /verify-email', { token: ada.access_token, body: verify })).status, 204)
  await auth.database.query('UPDATE mails SET due_at = now() WHERE done_at IS NULL')
  await settle(auth)
  t.strictSame(new Set(server.mails.map(({ recipient }) => recipient)), new Set([VICTIM]))
})

t.test('a change of the password ends a wish for an address whose mail still waits', async (t) => {
  const { server, auth } = await startWithMail(t)
  const ada = await auth.person()
  await settle(auth)
  await auth.database.query('UPDATE users SET email_verified = true')
  const body = { email: 'thief@example.com', current_password: PASSWORD }
  await auth.send('PUT /update-email', { token: ada.access_token, body })
  await settle(auth)
  await auth.database.query("UPDATE mails SET done_at = NULL, outcome = NULL WHERE purpose = 'change_email'")
  const changed = changeOf(PASSWORD, 'staple of another kind')
  await auth.send('POST /change-password', { token: ada.access_token, body: changed })
  await settle(auth)
  t.equal(server.mails.filter(({ recipient }) => recipient === 'thief@example.com').length, 1)
  t.strictSame(await auth.database.query('SELECT FROM codes'), [])
})
