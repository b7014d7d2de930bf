import { utimesSync } from 'node:fs'
import path from 'node:path'
import { createDatabase } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import t, { type Test } from 'tap'
import { startAuth } from './app.ts'
import { type Folder, keyFolder, letteredKeys, openInstance } from './key-folder.ts'
import { kidOf, rsaPem } from './keys.ts'
import { movedClock } from './moved-clock.ts'
import { headerOf } from './tokens.ts'

const pems = await letteredKeys(['A', 'B', 'C', 'D', 'R', 'S'])
const { A, B, C, D, R, S } = pems
const FOLDER = { 'access/current': A, 'access/next': B, 'refresh/current': R, 'refresh/next': S }

/** What scripts/rotate-keys.sh does with the access keys. */
function rotate({ move, write }: Folder, next: string, time = '20260101T000000Z'): void {
  move('access/current', `access/previous-${time}`)
  move('access/next', 'access/current')
  write('access/next', next)
}

const instance = (t: Test, { dir }: Folder, databaseUrl: string, away = false) =>
  openInstance(t, { dir, databaseUrl, away, pems })

t.test(
  'next is published before it signs, and a previous key is accepted until its last token has ended',
  async (t) => {
    const clock = await movedClock(t)
    const folder = keyFolder(t, FOLDER)
    const { inForce, keys } = await instance(t, folder, clock.databaseUrl)
    t.equal(await inForce(), 'A of A B', 'nobody has signed: current does at once')
    rotate(folder, C)
    t.equal(await inForce(), 'A of A B C', 'B is as young as A')
    await clock.advance(99)
    t.equal(await inForce(), 'A of A B C')
    await clock.advance(1)
    t.equal(await inForce(), 'B of A B C')
    await clock.advance(990)
    t.equal(await inForce(), 'B of A B C')
    await clock.advance(20)
    t.equal(await inForce(), 'B of B C', 'retired')
    t.equal(keys.refresh.current.kid, kidOf(R), 'the other kind is as it was')
  }
)

t.test('a key that was published long ago signs as soon as it is current, at all instances', async (t) => {
  const clock = await movedClock(t)
  const folder = keyFolder(t, FOLDER)
  const first = await instance(t, folder, clock.databaseUrl)
  t.equal(await first.inForce(), 'A of A B')
  await clock.advance(100)
  rotate(folder, C)
  const second = await instance(t, folder, clock.databaseUrl)
  t.equal(await second.inForce(), 'B of A B C', 'also at one that has just started')
  t.equal(await first.inForce(), 'B of A B C')
  rotate(folder, D, '20260102T000000Z')
  t.equal(await first.inForce(), 'B of A B C D', 'of two rotations at once the second waits')
})

t.test('an instance over a copy of the folder accepts what others sign before they do', async (t) => {
  const clock = await movedClock(t)
  const [own, copy] = [keyFolder(t, FOLDER), keyFolder(t, FOLDER)]
  const [ahead, behind] = [await instance(t, own, clock.databaseUrl), await instance(t, copy, clock.databaseUrl)]
  t.same([await ahead.inForce(), await behind.inForce()], ['A of A B', 'A of A B'])
  rotate(own, C)
  t.equal(await ahead.inForce(), 'A of A B C')
  await clock.advance(100)
  t.same([await ahead.inForce(), await behind.inForce()], ['B of A B C', 'A of A B'], 'both accept A and B')
  rotate(copy, C)
  t.same([await behind.inForce(), await ahead.inForce()], ['B of A B C', 'B of A B C'])
})

t.test('files that were touched, and those that are no keys, change nothing', async (t) => {
  const folder = keyFolder(t, FOLDER)
  const { inForce, keys, lines } = await instance(t, folder, await createDatabase(t))
  await inForce()
  const { accepted } = keys.access
  const told = lines.length
  utimesSync(path.join(folder.dir, 'access/current.private.pem'), 0, 0)
  folder.write('access/.half.abcdef', 'half')
  folder.write('access/notes', 'x')
  await inForce()
  t.equal(keys.access.accepted, accepted)
  t.equal(lines.length, told)
})

const weak = await rsaPem(1024)
const BROKEN: Record<string, (folder: Folder) => void> = {
  'a broken key': ({ write }) => write('access/next', C.slice(0, 300)),
  'a weak key': ({ write }) => write('access/next', weak),
  'no current key': ({ remove }) => remove('access/current'),
  'a key of the other kind': ({ write }) => write('access/next', S)
}

for (const [name, spoil] of Object.entries(BROKEN)) {
  t.test(`${name} leaves the keys as they were, and is told of loudly, once`, async (t) => {
    const folder = keyFolder(t, FOLDER)
    const { inForce, keys, lines } = await instance(t, folder, await createDatabase(t))
    await inForce()
    spoil(folder)
    for (let round = 0; round < 3; round += 1) t.equal(await inForce(), 'A of A B')
    t.equal(keys.refresh.accepted.size, 2)
    const errors = lines.filter(({ level }) => level === 'error')
    t.same(errors, [{ level: 'error', msg: 'the key folder cannot be used; the keys stay as they are' }])
    folder.write('access/current', A)
    folder.write('access/next', C)
    t.equal(await inForce(), 'A of A C', 'until it is mended')
    t.equal(lines.filter(({ level }) => level === 'error').length, 1)
  })
}

t.test('while the database is away the keys stay as they are', async (t) => {
  const folder = keyFolder(t, FOLDER)
  const { inForce, cutOff, lines } = await instance(t, folder, await createDatabase(t))
  await inForce()
  cutOff(true)
  folder.write('access/next', C)
  for (let round = 0; round < 3; round += 1) t.equal(await inForce(), 'A of A B')
  t.same(
    lines.filter(({ level }) => level === 'warn'),
    [{ level: 'warn', msg: 'the database is away; the keys stay as they are' }]
  )
  cutOff(false)
  t.equal(await inForce(), 'A of A C')
})

t.test('a start without the database has no key in force until it has been asked', async (t) => {
  const clock = await movedClock(t)
  const folder = keyFolder(t, FOLDER)
  const first = await instance(t, folder, clock.databaseUrl)
  t.equal(await first.inForce(), 'A of A B')
  rotate(folder, C)
  const { inForce, cutOff, keys } = await instance(t, folder, clock.databaseUrl, true)
  t.equal(await inForce(), '- of ')
  t.throws(() => keys.access.current, { code: 'unavailable' })
  cutOff(false)
  t.equal(await keys.unready(), undefined, 'readiness asks')
  t.equal(keys.access.current.kid, kidOf(A), 'and B is too young')
})

t.test(
  'until the database was asked, keys are not published and verify nothing, and no ETag is confirmed',
  async (t) => {
    const clock = await movedClock(t)
    const folder = keyFolder(t, FOLDER)
    const [first, second] = [
      await instance(t, folder, clock.databaseUrl),
      await instance(t, folder, clock.databaseUrl, true)
    ]
    await first.inForce()
    const env = { DATABASE_URL: clock.databaseUrl, JWKS_PUBLISH_AGE: '60s' }
    const auth = await startAuth(t, { env, keys: first.keys, now: clock.now })
    const other = await startAuth(t, { env, keys: second.keys, now: clock.now })
    const ada = await auth.person()
    const seen = async () => {
      const me = await other.send('GET /me', { token: ada.access_token })
      const logout = await other.send('POST /logout', { token: ada.refresh_token })
      const set = await other.send('GET /.well-known/jwks.json')
      const known = await other.send('GET /.well-known/jwks.json', { headers: { 'if-none-match': String(etag) } })
      return [me.status, logout.status, set.status, known.status]
    }
    const { etag } = (await auth.send('GET /.well-known/jwks.json')).headers
    t.strictSame(await seen(), [503, 503, 503, 503])
    isProblem(t, await other.send('GET /.well-known/jwks.json'), 'unavailable')
    second.cutOff(false)
    t.equal(await second.inForce(), 'A of A B')
    t.strictSame(await seen(), [200, 204, 200, 304])
  }
)

t.test('tokens, guards and the published set follow', async (t) => {
  const clock = await movedClock(t)
  const folder = keyFolder(t, FOLDER)
  const { inForce, keys } = await instance(t, folder, clock.databaseUrl)
  await inForce()
  const { send, person, login } = await startAuth(t, { env: { DATABASE_URL: clock.databaseUrl }, keys, now: clock.now })
  const published = async () => {
    const { body, headers } = await send('GET /.well-known/jwks.json')
    return { kids: body.keys.map(({ kid }: { kid: string }) => kid).sort(), etag: headers['etag'] }
  }
  const ada = await person()
  const before = await published()
  t.same(before.kids, [kidOf(A), kidOf(B)].sort())
  await clock.advance(100)
  rotate(folder, C)
  await inForce()
  const after = await published()
  t.same(after.kids, [kidOf(A), kidOf(B), kidOf(C)].sort())
  t.not(after.etag, before.etag)
  t.equal(headerOf((await login(ada)).access_token)['kid'], kidOf(B))
  t.equal((await send('GET /me', { token: ada.access_token })).status, 200)
  folder.move('access/previous-20260101T000000Z', `access/revoked/${kidOf(A)}`)
  folder.move('refresh/current', `refresh/revoked/${kidOf(R)}`)
  await inForce()
  t.equal((await send('GET /me', { token: ada.access_token })).status, 401)
  t.equal((await send('POST /refresh-token', { token: ada.refresh_token })).status, 401)
  t.equal((await send('GET /.well-known/jwks.json', { headers: { 'if-none-match': String(after.etag) } })).status, 200)
})
