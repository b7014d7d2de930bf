import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { keysToCopy, previous, run, slots, temporaryFolder } from './key-scripts.ts'

const copyOfKeys = await keysToCopy(t)

t.test('a revoked key is moved away; next takes the place of current', async (t) => {
  const folder = await copyOfKeys(t)
  await run('rotate-keys.sh', folder, ['access'])
  const before = await slots(t, folder)
  const [aside = ''] = previous(before)
  await run('revoke-key.sh', folder, [before['current'] ?? ''])
  const after = await slots(t, folder)
  t.equal(after['current'], before['next'])
  t.equal(after[aside], before[aside])
  await run('revoke-key.sh', folder, [before[aside] ?? ''])
  t.same(Object.keys(await slots(t, folder)).sort(), ['current', 'next'])
  await run('revoke-key.sh', folder, [after['next'] ?? ''])
  const last = await slots(t, folder)
  t.equal(last['current'], before['next'])
  t.not(last['next'], after['next'])
  t.equal(await run('revoke-key.sh', folder, [after['next'] ?? '']), '', 'a second time there is nothing to do')
  t.same(await slots(t, folder), last)
  const names = [before['current'], before[aside], after['next']].map((kid) => `${kid}.private.pem`)
  t.same((await readdir(path.join(folder, 'access/revoked'))).sort(), names.sort())
})

t.test('a revocation that was cut off is completed by the next', async (t) => {
  const folder = await copyOfKeys(t)
  const before = await slots(t, folder)
  const kid = before['current'] ?? ''
  const bin = await temporaryFolder(t)
  for (const tool of ['mv', 'openssl']) {
    await writeFile(
      path.join(bin, tool),
      `#!/bin/sh\n[ "$1" = genpkey ] || [ ${tool} = mv ] && exit 1\nPATH=\${PATH#*:} exec ${tool} "$@"\n`,
      { mode: 0o755 }
    )
    await t.rejects(run('revoke-key.sh', folder, [kid], { bin }))
    await rm(path.join(bin, tool))
    t.same(await readdir(path.join(folder, 'access/revoked')), [`${kid}.private.pem`], 'it counts already')
  }
  await run('revoke-key.sh', folder, [kid])
  const after = await slots(t, folder)
  t.equal(after['current'], before['next'])
  t.same(Object.keys(after).sort(), ['current', 'next'])
  await t.rejects(run('revoke-key.sh', folder, ['x'.repeat(43)]), { message: /no key in .* has the kid x/ })
  await t.rejects(run('revoke-key.sh', folder, ['../../current']), { code: 2, message: /usage: / })
})

t.test('a broken next does not take the place of current, which is revoked even so', async (t) => {
  const folder = await copyOfKeys(t)
  const { current: kid = '' } = await slots(t, folder)
  const kind = path.join(folder, 'access')
  const next = path.join(kind, 'next.private.pem')
  await truncate(next, 100)
  const current = await readFile(path.join(kind, 'current.private.pem'))
  for (const time of ['first', 'second']) {
    await t.rejects(run('revoke-key.sh', folder, [kid]), { code: 1, message: `${next} is no key that a service` }, time)
    t.same(await readdir(path.join(kind, 'revoked')), [`${kid}.private.pem`])
    t.same(await readFile(path.join(kind, 'current.private.pem')), current)
  }
  await rm(next)
  await run('revoke-key.sh', folder, [kid])
  const after = await slots(t, folder)
  t.same(Object.keys(after).sort(), ['current', 'next'])
  t.strictSame(
    Object.values(after).filter((other) => other === kid),
    []
  )
})

t.test('a broken key that has no public half is not passed over', async (t) => {
  const folder = await copyOfKeys(t)
  const { current: kid = '' } = await slots(t, folder)
  const broken = path.join(folder, 'access/previous-20260101T000000Z.private.pem')
  await writeFile(broken, '-----BEGIN PRIV')
  await t.rejects(run('revoke-key.sh', folder, [kid]), { code: 1, message: `openssl cannot read ${broken}` })
  t.same(await readdir(path.join(folder, 'access/revoked')), [`${kid}.private.pem`])
  await rm(broken)
  t.equal(await run('revoke-key.sh', folder, [kid]), '')
  t.strictSame(
    Object.values(await slots(t, folder)).filter((other) => other === kid),
    []
  )
})
