import { renameSync } from 'node:fs'
import path from 'node:path'
import { createDatabase, runStatement } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { revokeKey } from '../src/keys/signing-keys.ts'
import { startAuth } from './app.ts'
import { type Folder, keyFolder, letteredKeys, openInstance } from './key-folder.ts'
import { kidOf } from './keys.ts'
import { movedClock } from './moved-clock.ts'

const pems = await letteredKeys(['A', 'B', 'C', 'D', 'R', 'S'])
const { A, B, C, D, R, S } = pems
const FOLDER = { 'access/current': A, 'access/next': B, 'refresh/current': R, 'refresh/next': S }

const instance = (t: Test, { dir }: Folder, databaseUrl: string) => openInstance(t, { dir, databaseUrl, pems })

t.test('a key that is moved to revoked is refused at once, everywhere and for ever, and next signs', async (t) => {
  const databaseUrl = await createDatabase(t)
  const [own, copy] = [keyFolder(t, FOLDER), keyFolder(t, FOLDER)]
  const [first, second] = [await instance(t, own, databaseUrl), await instance(t, copy, databaseUrl)]
  await Promise.all([first.inForce(), second.inForce()])
  own.move('access/current', `access/revoked/${kidOf(A)}`)
  t.equal(await first.inForce(), 'B of B', 'though the folder has no current key now')
  t.equal(await second.inForce(), 'B of B', 'over a folder that has it still')
  own.write('access/current', A)
  own.remove(`access/revoked/${kidOf(A)}`)
  t.equal(await first.inForce(), 'B of B', 'the file comes back')
  t.equal(await (await instance(t, copy, databaseUrl)).inForce(), 'B of B', 'at a new instance')
  for (const { write } of [own, copy]) {
    write('access/current', B)
    write('access/next', C)
  }
  t.same([await first.inForce(), await second.inForce()], ['B of B C', 'B of B C'])
  own.move('access/next', `access/revoked/${kidOf(C)}`)
  t.same([await first.inForce(), await second.inForce()], ['B of B', 'B of B'], 'a key that does not sign, too')
})

t.test('a revoked key counts by what it holds, too, and while all else is broken and the database away', async (t) => {
  const folder = keyFolder(t, FOLDER)
  const { inForce, cutOff } = await instance(t, folder, await createDatabase(t))
  await inForce()
  cutOff(true)
  folder.move('access/current', 'access/revoked/old')
  folder.write('access/revoked/other', 'no key')
  folder.write('access/next', 'broken')
  t.equal(await inForce(), 'B of B')
  renameSync(path.join(folder.dir, 'access/revoked'), path.join(folder.dir, 'access/elsewhere'))
  folder.write('access/current', A)
  folder.write('access/next', B)
  t.equal(await inForce(), 'B of B', 'for ever')
})

t.test('a key that is revoked in the database is refused, and a key of the other kind never accepted', async (t) => {
  const clock = await movedClock(t)
  const folder = keyFolder(t, FOLDER)
  const { inForce, keys } = await instance(t, folder, clock.databaseUrl)
  const auth = await startAuth(t, { env: { DATABASE_URL: clock.databaseUrl }, keys, now: clock.now })
  t.equal(await inForce(), 'A of A B')
  t.equal(await revokeKey(auth.database, kidOf(A)), 'access')
  t.equal(await revokeKey(auth.database, kidOf(D)), undefined, 'a key that nobody has seen')
  t.equal(await inForce(), 'B of B')
  t.equal(await revokeKey(auth.database, kidOf(B)), 'access')
  t.equal(await inForce(), '- of ', 'with the last key nothing signs')
  t.match(await keys.unready(), /no key may sign/)
  folder.write('access/current', C)
  t.equal(await inForce(), 'C of C')
  folder.remove('refresh/next')
  folder.write('access/next', S)
  t.equal(await inForce(), 'C of C', 'S was a refresh key')
})

t.test('a key that the database alone has revoked is not in force at an instance that starts without it', async (t) => {
  const folder = keyFolder(t, FOLDER)
  const databaseUrl = await createDatabase(t)
  const first = await instance(t, folder, databaseUrl)
  await first.inForce()
  await runStatement(databaseUrl, `UPDATE signing_keys SET revoked_at = now() WHERE kid = '${kidOf(A)}'`)
  t.equal(await first.inForce(), 'B of B')
  const second = await openInstance(t, { dir: folder.dir, databaseUrl, pems, away: true })
  for (let round = 0; round < 3; round += 1) t.equal(await second.inForce(), '- of ')
  second.cutOff(false)
  t.equal(await second.inForce(), 'B of B')
  second.cutOff(true)
  folder.write('access/previous-x', A)
  t.equal(await second.inForce(), 'B of B', 'nor when the file comes back while the database is away again')
})

t.test('where the database has lost a revocation, an instance that knows it writes it again', async (t) => {
  const folder = keyFolder(t, FOLDER)
  const databaseUrl = await createDatabase(t)
  const first = await instance(t, folder, databaseUrl)
  await first.inForce()
  await runStatement(databaseUrl, `UPDATE signing_keys SET revoked_at = now() WHERE kid = '${kidOf(A)}'`)
  t.equal(await first.inForce(), 'B of B')
  for (const lost of ['UPDATE signing_keys SET revoked_at = NULL', 'DELETE FROM signing_keys']) {
    await runStatement(databaseUrl, `${lost} WHERE kid = '${kidOf(A)}'`)
    t.equal(await first.inForce(), 'B of B', lost)
    t.equal(await (await instance(t, folder, databaseUrl)).inForce(), 'B of B', 'at a new instance too')
  }
})

t.test('while no key signs, nothing is changed for tokens that cannot be had', async (t) => {
  const clock = await movedClock(t)
  const folder = keyFolder(t, FOLDER)
  const { inForce, keys } = await instance(t, folder, clock.databaseUrl)
  await inForce()
  const auth = await startAuth(t, { env: { DATABASE_URL: clock.databaseUrl }, keys, now: clock.now })
  const { send, database, config } = auth
  const [ada, grace] = [await auth.person(), await auth.person()]
  const { email, password } = ada
  const login = async () => (await send('POST /login', { body: { email, password } })).status
  const refresh = async () => (await send('POST /refresh-token', { token: ada.refresh_token })).status
  const change = { current_password: grace.password, new_password: 'a louder harbour at noon' }

  for (const key of [A, B]) await revokeKey(database, kidOf(key))
  t.equal(await inForce(), '- of ')
  t.same([await login(), await refresh()], [503, 503])
  await clock.advance(config.REFRESH_REUSE_WINDOW + 1)
  folder.write('access/current', C)
  await keys.update()
  t.equal(await refresh(), 200, 'the token was not spent')
  t.equal((await database.query('SELECT FROM sessions')).length, 2, 'no session was opened')

  const { access_token: token } = await auth.login(grace)
  for (const key of [R, S]) await revokeKey(database, kidOf(key))
  await keys.update()
  t.equal((await send('POST /change-password', { token, body: change })).status, 503)
  folder.write('refresh/current', D)
  await keys.update()
  await t.resolves(auth.login(grace), 'the password is as it was')
})
