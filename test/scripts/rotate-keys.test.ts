import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { keysToCopy, previous, run, scripts, slots, temporaryFolder } from './key-scripts.ts'

const copyOfKeys = await keysToCopy(t)

t.test('current is set aside, next is promoted, and a new key is next; the other kind is left alone', async (t) => {
  const folder = await copyOfKeys(t)
  const before = await slots(t, folder)
  const refresh = path.join(folder, 'refresh/current.private.pem')
  const untouched = await readFile(refresh)
  await run('rotate-keys.sh', folder, ['access'])
  const after = await slots(t, folder)
  const [aside = ''] = previous(after)
  t.same(Object.keys(after).sort(), ['current', 'next', aside])
  t.equal(after[aside], before['current'])
  t.equal(after['current'], before['next'])
  t.strictSame(
    Object.values(before).filter((kid) => kid === after['next']),
    [],
    'the next one is new'
  )
  t.same(await readFile(refresh), untouched)
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
    for (const nth of [1, 2, 3, 4, 5]) {
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
      t.strictSame(
        Object.values(before).filter((kid) => !kids.includes(kid)),
        [],
        where
      )
    }
  }
})

t.test('one script at a time', async (t) => {
  const folder = await copyOfKeys(t)
  const bin = await temporaryFolder(t)
  // It holds up the first until the second was refused.
  const openssl = `#!/bin/sh
if [ "$1" = genpkey ]; then
  touch "\${0%/*}/begun"
  while [ ! -e "\${0%/*}/go" ]; do sleep 0.1; done
fi
PATH=\${PATH#*:} exec openssl "$@"
`
  await writeFile(path.join(bin, 'openssl'), openssl, { mode: 0o755 })
  const first = run('rotate-keys.sh', folder, ['access'], { bin })
  while (!existsSync(path.join(bin, 'begun'))) await sleep(10)
  await t.rejects(run('rotate-keys.sh', folder, ['access']), { message: /another script is changing .*access/ })
  await writeFile(path.join(bin, 'go'), '')
  await first
  await run('rotate-keys.sh', folder, ['access'])
  t.equal(previous(await slots(t, folder)).length, 2)
})

t.test('--prune deletes what is listed as retired, and only that', async (t) => {
  const folder = await copyOfKeys(t)
  for (let round = 0; round < 3; round += 1) await run('rotate-keys.sh', folder, ['access'])
  const keys = await slots(t, folder)
  const [first = '', second = '', third = ''] = previous(keys)
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
  const left = Object.values(await slots(t, folder))
  const gone = Object.keys(keys).filter((slot) => !left.includes(keys[slot] ?? ''))
  t.same(gone, [first])
})

t.test('it says what is wrong, and changes nothing', async (t) => {
  const folder = await copyOfKeys(t)
  const before = await slots(t, folder)
  for (const args of [[], ['signing'], ['access', 'refresh'], ['access', '--prune', 'x']]) {
    await t.rejects(run('rotate-keys.sh', folder, args), { code: 2, message: /usage: / })
  }
  await t.rejects(run('rotate-keys.sh', path.join(folder, 'none'), ['access']), {
    message: /generate-keys.sh makes keys/
  })
  const bin = await temporaryFolder(t)
  await writeFile(path.join(bin, 'openssl'), '#!/bin/sh\necho no entropy >&2\nexit 1\n', { mode: 0o755 })
  await t.rejects(run('rotate-keys.sh', folder, ['access'], { bin }), { message: /openssl: no entropy/ })
  t.same(await slots(t, folder), before)
})

/** All that lies in the folder of one kind, by name, as bytes. */
async function contents(kind: string): Promise<Record<string, string>> {
  const read = async (name: string) => [name, await readFile(path.join(kind, name), 'latin1')]
  return Object.fromEntries(await Promise.all((await readdir(kind)).map(read)))
}

/** Keys that no service starts with, each by what makes it. */
const BROKEN: Record<string, (file: string) => Promise<unknown>> = {
  'is cut off': (file) => truncate(file, 100),
  'is empty': (file) => truncate(file, 0),
  'has a passphrase': (file) => openssl('genpkey', '-algorithm', 'RSA', '-aes128', '-pass', 'pass:x', '-out', file),
  'has 1024 bits': (file) => openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024', '-out', file),
  'is not RSA': (file) => openssl('genpkey', '-algorithm', 'ED25519', '-out', file)
}
const openssl = (...args: string[]) => promisify(execFile)('openssl', args)

t.test('a key that no service can use is named, and nothing is renamed or deleted', async (t) => {
  const whole = await copyOfKeys(t)
  await run('rotate-keys.sh', whole, ['access'])
  const keys = await slots(t, whole)
  const [aside = ''] = previous(keys)
  const input = `access ${aside} ${keys[aside]} retired\n`
  const cases = [...Object.keys(BROKEN).map((how) => ['next', how]), ['current', 'is cut off'], [aside, 'is cut off']]
  for (const [slot = '', how = ''] of cases) {
    const folder = await temporaryFolder(t)
    await cp(whole, folder, { recursive: true })
    const kind = path.join(folder, 'access')
    const file = path.join(kind, `${slot}.private.pem`)
    await BROKEN[how]?.(file)
    await rm(path.join(kind, `${slot}.public.pem`))
    const before = await contents(kind)
    for (const time of ['first', 'second']) {
      await t.rejects(
        run('rotate-keys.sh', folder, ['access', '--prune'], { input }),
        { code: 1, stdout: '', message: `${file} is no key that a service can use` },
        `${slot} ${how}, ${time} time`
      )
      t.same(await contents(kind), before)
    }
    if (how !== 'is cut off') continue
    await rm(file)
    await run('rotate-keys.sh', folder, ['access'])
    const after = await slots(t, folder)
    t.equal(after['current'], keys[slot === 'next' ? 'current' : 'next'], 'without it the rotation goes on')
  }
})
