import { execFile, spawn } from 'node:child_process'
import { createHash, createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url))
const PREVIOUS = /^previous-\d{8}T\d{6}Z(-\d+)?$/

/** Runs a script on a folder; rejects when it fails. */
async function run(script: string, folder: string, args: string[], { input = '', bin = '' } = {}): Promise<string> {
  const env = { PATH: `${bin}:${process.env['PATH']}`, KEYS_DIR: folder }
  const running = promisify(execFile)(path.join(scripts, script), args, { env })
  running.child.stdin?.end(input)
  return (await running).stdout
}

async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-keys-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return folder
}

const made = await temporaryFolder(t)
await run('generate-keys.sh', made, [])

async function copyOfKeys(t: Test): Promise<string> {
  const folder = await temporaryFolder(t)
  await cp(made, folder, { recursive: true })
  return folder
}

function kidOf(pem: string): string {
  const { e, n } = createPublicKey(pem).export({ format: 'jwk' })
  return createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url')
}

/** The kids of the access keys by their slots; the public halves are checked on the way. */
async function slots(t: Test, folder: string): Promise<Record<string, string>> {
  const kind = path.join(folder, 'access')
  const names = (await readdir(kind)).filter((name) => name.endsWith('.pem'))
  const privates = names.filter((name) => name.endsWith('.private.pem'))
  t.equal(names.length, 2 * privates.length, 'each private key has its public half, and nothing else has')
  const entries = privates.map(async (name) => {
    const pem = await readFile(path.join(kind, name), 'utf8')
    const half = await readFile(path.join(kind, name.replace('private', 'public')), 'utf8')
    t.equal(kidOf(half), kidOf(pem), `the halves of ${name} belong together`)
    t.equal((await stat(path.join(kind, name))).mode & 0o777, 0o600)
    return [name.replace('.private.pem', ''), kidOf(pem)]
  })
  return Object.fromEntries(await Promise.all(entries))
}

const previous = (keys: Record<string, string>) => Object.keys(keys).filter((slot) => PREVIOUS.test(slot))

t.test('current is set aside, next is promoted, and a new key is next; the other kind is left alone', async (t) => {
  const folder = await copyOfKeys(t)
  const before = await slots(t, folder)
  await run('rotate-keys.sh', folder, ['access'])
  const after = await slots(t, folder)
  const [aside = ''] = previous(after)
  t.same(Object.keys(after).sort(), ['current', 'next', aside])
  t.equal(after[aside], before['current'])
  t.equal(after['current'], before['next'])
  t.equal(Object.values(before).includes(after['next'] ?? ''), false)
  t.same(
    await readFile(path.join(folder, 'refresh/current.private.pem')),
    await readFile(path.join(made, 'refresh/current.private.pem'))
  )
  await run('rotate-keys.sh', folder, ['access'])
  await run('rotate-keys.sh', folder, ['access'])
  t.equal(previous(await slots(t, folder)).length, 3, 'also three times in one second')
})

/** The states that a run leaves which is cut off between two steps: what lies there instead of current and next. */
const CUT_OFF: Record<string, (kind: string) => Promise<void>> = {
  'after current got its second name': (kind) =>
    cp(path.join(kind, 'current.private.pem'), path.join(kind, 'previous-20260101T000000Z.private.pem')),
  'after current was renamed': (kind) =>
    rename(path.join(kind, 'current.private.pem'), path.join(kind, 'previous-20260101T000000Z.private.pem')),
  'after next was promoted': async (kind) => {
    await rename(path.join(kind, 'current.private.pem'), path.join(kind, 'previous-20260101T000000Z.private.pem'))
    await rename(path.join(kind, 'next.private.pem'), path.join(kind, 'current.private.pem'))
  }
}

for (const [when, cutOff] of Object.entries(CUT_OFF)) {
  t.test(`a run that was cut off ${when} is completed by the next, which begins no other`, async (t) => {
    const folder = await copyOfKeys(t)
    const before = await slots(t, folder)
    await cutOff(path.join(folder, 'access'))
    t.match(await run('rotate-keys.sh', folder, ['access']), /^completing .*cut off/)
    const after = await slots(t, folder)
    t.same(Object.keys(after).sort(), ['current', 'next', 'previous-20260101T000000Z'])
    t.equal(after['previous-20260101T000000Z'], before['current'])
    t.equal(after['current'], before['next'])
  })
}

t.test('killed at any of its commands, it never leaves a folder without the keys that were there', async (t) => {
  const bin = await temporaryFolder(t)
  for (const tool of ['openssl', 'ln', 'mv']) {
    for (const nth of [1, 2, 3]) {
      const folder = await copyOfKeys(t)
      const before = await slots(t, folder)
      const real = (await promisify(execFile)('bash', ['-c', `type -P ${tool}`])).stdout.trim()
      const count = path.join(folder, 'count')
      const killer = `#!/bin/sh\necho >>${count}\n[ $(wc -l <${count}) = ${nth} ] && kill -9 0\nexec ${real} "$@"\n`
      await writeFile(path.join(bin, tool), killer, { mode: 0o755 })
      const child = spawn(path.join(scripts, 'rotate-keys.sh'), ['access'], {
        detached: true,
        env: { PATH: `${bin}:${process.env['PATH']}`, KEYS_DIR: folder }
      })
      await once(child, 'close')
      await rm(path.join(bin, tool))
      const where = `${tool}, ${nth}`
      await run('generate-keys.sh', folder, [])
      await run('rotate-keys.sh', folder, ['access'])
      const kids = Object.values(await slots(t, folder))
      for (const kid of Object.values(before)) t.ok(kids.includes(kid), where)
    }
  }
})

t.test('one script at a time', async (t) => {
  const folder = await copyOfKeys(t)
  const bin = await temporaryFolder(t)
  await writeFile(path.join(bin, 'openssl'), `#!/bin/sh\nsleep 1\nPATH=\${PATH#*:} exec openssl "$@"\n`, {
    mode: 0o755
  })
  const first = run('rotate-keys.sh', folder, ['access'], { bin })
  await new Promise((resolve) => setTimeout(resolve, 300))
  await t.rejects(run('rotate-keys.sh', folder, ['access']), { stderr: /another script is changing .*access/ })
  await first
  await run('rotate-keys.sh', folder, ['access'])
  t.equal(previous(await slots(t, folder)).length, 2)
})

t.test('--prune deletes what is listed as retired, and only that', async (t) => {
  const folder = await copyOfKeys(t)
  for (let round = 0; round < 3; round += 1) await run('rotate-keys.sh', folder, ['access'])
  const keys = await slots(t, folder)
  const [first = '', second = '', third = ''] = previous(keys).sort()
  const listed = [
    '> npm prints a line of its own',
    `access ${first} ${keys[first]} retired`,
    `access ${second} ${keys[second]} published`,
    `access ${third} ${keys[first]} retired`,
    `access current ${keys['current']} retired`,
    `refresh ${second} ${keys[second]} retired`
  ]
  t.match(
    await run('rotate-keys.sh', folder, ['access', '--prune'], { input: listed.join('\n') }),
    `deleted ${folder}/access/${first}`
  )
  const left = await slots(t, folder)
  t.same(
    previous(left)
      .filter((slot) => slot in keys)
      .sort(),
    [second, third]
  )
  t.ok(Object.values(left).includes(keys['current'] ?? ''))
})

t.test('it says what is wrong, and changes nothing', async (t) => {
  const folder = await copyOfKeys(t)
  const before = await slots(t, folder)
  for (const args of [[], ['signing'], ['access', 'refresh'], ['access', '--prune', 'x']]) {
    await t.rejects(run('rotate-keys.sh', folder, args), { code: 2, stderr: /^usage: / })
  }
  await t.rejects(run('rotate-keys.sh', path.join(folder, 'none'), ['access']), {
    stderr: /generate-keys.sh makes keys/
  })
  const bin = await temporaryFolder(t)
  await writeFile(path.join(bin, 'openssl'), '#!/bin/sh\necho no entropy >&2\nexit 1\n', { mode: 0o755 })
  await t.rejects(run('rotate-keys.sh', folder, ['access'], { bin }), { stderr: /openssl: no entropy/ })
  t.same(await slots(t, folder), before)
})

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
  await t.rejects(run('revoke-key.sh', folder, ['x'.repeat(43)]), { stderr: /no key in .* has the kid x/ })
  await t.rejects(run('revoke-key.sh', folder, ['../../current']), { code: 2, stderr: /^usage: / })
})
