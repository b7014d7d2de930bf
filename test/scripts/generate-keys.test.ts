import { execFile, spawn } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../../scripts/generate-keys.sh', import.meta.url))
const kinds = ['access', 'refresh']
const files = ['current.private.pem', 'current.public.pem', 'next.private.pem', 'next.public.pem']

async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-keys-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return folder
}

/** Making keys takes its time: a folder of them to copy. */
const made = await mkdtemp(path.join(os.tmpdir(), 'latchkey-keys-'))
t.teardown(() => rm(made, { recursive: true }))
await run(script, [made])

async function copyOfKeys(t: Test): Promise<string> {
  const folder = await temporaryFolder(t)
  await cp(made, folder, { recursive: true })
  return folder
}

/** What lies in the folder, by path. */
async function readKeys(folder: string): Promise<Record<string, string>> {
  const paths = kinds.flatMap((kind) => files.map((file) => `${kind}/${file}`))
  return Object.fromEntries(
    await Promise.all(paths.map(async (file) => [file, await readFile(path.join(folder, file), 'utf8')]))
  )
}

t.test('makes two slots of each kind, readable by their owner alone', async (t) => {
  const folder = made
  const mode = async (file: string) => ((await stat(path.join(folder, file))).mode & 0o777).toString(8)
  for (const kind of kinds) {
    t.same((await readdir(path.join(folder, kind))).sort(), files, `${kind}/ holds the slots and nothing else`)
    t.equal(await mode(kind), '700')
    t.equal(await mode(`${kind}/current.private.pem`), '600')
    t.equal(await mode(`${kind}/next.private.pem`), '600')
  }
  const keys = await readKeys(folder)
  const privates = Object.entries(keys).filter(([file]) => file.includes('private'))
  t.equal(new Set(privates.map(([, pem]) => pem)).size, 4, 'no key twice')
  for (const [file, pem] of privates) {
    t.match(pem, /^-----BEGIN PRIVATE KEY-----/, 'PKCS#8')
    const key = createPrivateKey(pem)
    t.match(key.asymmetricKeyDetails, { modulusLength: 2048, publicExponent: 65537n })
    const half = createPublicKey(pem).export({ type: 'spki', format: 'pem' })
    t.equal(keys[file.replace('private', 'public')], half, `the public half of ${file}`)
  }
})

t.test('overwrites nothing', async (t) => {
  const folder = await copyOfKeys(t)
  const before = await readKeys(folder)
  const { stdout } = await run(script, [folder])
  t.same(await readKeys(folder), before)
  t.notMatch(stdout, 'made')
  await writeFile(path.join(folder, 'access/current.private.pem'), 'a mistake, but not ours to mend\n')
  await run(script, [folder])
  t.equal((await readKeys(folder))['access/current.private.pem'], 'a mistake, but not ours to mend\n')
})

t.test('completes what was cut off, and clears away its leftovers', async (t) => {
  const folder = await copyOfKeys(t)
  const before = await readKeys(folder)
  const gone = ['access/current.public.pem', 'refresh/next.private.pem', 'refresh/next.public.pem']
  for (const file of gone) await rm(path.join(folder, file))
  const leftover = path.join(folder, 'refresh/.half.abcdef')
  await writeFile(leftover, '-----BEGIN PRIV')
  await utimes(leftover, 0, 0)

  const { stdout } = await run(script, [folder])
  t.same(
    stdout.split('\n').filter((line) => line.startsWith('made')),
    gone.map((file) => `made ${folder}/${file}`)
  )
  const after = await readKeys(folder)
  for (const file of Object.keys(before)) {
    const isNew = file.startsWith('refresh/next')
    t.equal(after[file] !== before[file], isNew, `${file} is ${isNew ? 'new' : 'as it was'}`)
  }
  t.same((await readdir(path.join(folder, 'refresh'))).sort(), files)
})

for (const step of ['genpkey', 'pkey']) {
  t.test(`killed while openssl ${step} writes, it leaves no half file under a final name`, async (t) => {
    const folder = await temporaryFolder(t)
    const bin = await temporaryFolder(t)
    const openssl = (await run('bash', ['-c', 'type -P openssl'])).stdout.trim()
    const killer = `#!/bin/sh
      [ "$1" != ${step} ] && exec ${openssl} "$@"
      for file; do :; done
      echo half >"$file"
      kill -9 0`
    await writeFile(path.join(bin, 'openssl'), killer, { mode: 0o755 })
    // A process group of its own, which is what the signal goes to.
    const child = spawn(script, [folder], {
      detached: true,
      env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` }
    })
    const [, signal] = await once(child, 'close')
    t.equal(signal, 'SIGKILL')
    const [half, ...others] = (await readdir(path.join(folder, 'access'))).sort()
    t.match(half, /^\.half\./)
    t.equal(await readFile(path.join(folder, 'access', half ?? ''), 'utf8'), 'half\n')
    t.same(others, step === 'pkey' ? ['current.private.pem'] : [])
  })
}

t.test('two at once agree on the keys', async (t) => {
  const folder = await temporaryFolder(t)
  await Promise.all([run(script, [folder]), run(script, [folder])])
  const keys = await readKeys(folder)
  for (const [file, pem] of Object.entries(keys)) {
    if (!file.includes('private')) continue
    const half = createPublicKey(pem).export({ type: 'spki', format: 'pem' })
    t.equal(keys[file.replace('private', 'public')], half, `the halves of ${file} belong together`)
  }
  for (const kind of kinds) t.same((await readdir(path.join(folder, kind))).sort(), files)
})

t.test('takes the folder from KEYS_DIR where none is named', async (t) => {
  const folder = await copyOfKeys(t)
  await rm(path.join(folder, 'access/next.public.pem'))
  const { stdout } = await run(script, [], { env: { ...process.env, KEYS_DIR: folder } })
  t.match(stdout, `made ${folder}/access/next.public.pem`)
})

t.test('says what is wrong', async (t) => {
  const folder = await temporaryFolder(t)
  const bash = (await run('bash', ['-c', 'type -P bash'])).stdout.trim()
  await t.rejects(run(bash, [script, folder], { env: { PATH: folder } }), { message: /openssl is not installed/ })
  await writeFile(path.join(folder, 'file'), '')
  await t.rejects(run(script, [path.join(folder, 'file')]), { message: /cannot make .*file\/access/ })
  await mkdir(path.join(folder, 'access'))
  await chmod(path.join(folder, 'access'), 0o500)
  // Root writes everywhere.
  if (process.getuid?.() !== 0) await t.rejects(run(script, [folder]), { message: /cannot write to/ })
})
