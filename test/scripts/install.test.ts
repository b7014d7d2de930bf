import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { isInstalled } from '../../scripts/install.mjs'
import { installAdvice } from '../../scripts/install-advice.mjs'
import { satisfies } from '../../scripts/node-version.mjs'
import { plainEnvironment } from './plain-environment.ts'

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url))

t.test('what is installed is compared with what is locked', async (t) => {
  const a = { version: '1.0.0', resolved: 'https://registry.example/a/-/a-1.0.0.tgz', integrity: 'sha512-a' }
  const locked = {
    '': { version: '0.1.0' },
    'node_modules/a': { ...a, dev: true },
    'node_modules/elsewhere': { version: '1.0.0', optional: true },
    'node_modules/@latchkey/auth': { resolved: 'services/auth', link: true },
    'services/auth': { version: '0.1.0' }
  }
  const { '': _root, 'node_modules/elsewhere': _elsewhere, ...installed } = locked
  const without = (name: keyof typeof installed) =>
    Object.fromEntries(Object.entries(installed).filter(([key]) => key !== name))

  t.equal(isInstalled(locked, installed), true, 'npm notes neither the root nor what is for other platforms')
  t.equal(isInstalled(locked, undefined), false, 'nothing installed, or an install that was cut off')
  t.equal(isInstalled(locked, without('node_modules/a')), false, 'npm ci --omit=dev leaves some out')
  t.equal(isInstalled(locked, without('node_modules/a'), { tools: false }), true, 'which is enough without the tools')
  const tools = { tools: false }
  t.equal(isInstalled(locked, without('node_modules/@latchkey/auth'), tools), false, 'but nothing else may be missing')
  t.equal(isInstalled(locked, without('node_modules/@latchkey/auth')), false, 'a new workspace')
  t.equal(isInstalled(locked, { ...installed, 'node_modules/b': a }), false, 'one that is not wanted any more')
  for (const change of [{ version: '1.0.1' }, { integrity: 'sha512-b' }, { resolved: 'https://example.com/a.tgz' }]) {
    const other = { ...installed, 'node_modules/a': { ...a, ...change } }
    t.equal(isInstalled(locked, other), false, `another ${Object.keys(change)[0]}`)
  }
})

t.test('versions of Node', async (t) => {
  const engines = '^20.19.0 || ^22.12.0 || >=24'
  const good = ['20.19.0', '20.20.2', '22.12.0', '22.23.3', '24.0.0', '24.21.0', '26.1.0']
  const bad = ['18.20.8', '20.18.3', '21.9.0', '22.11.9', '23.11.1']
  for (const version of good) t.equal(satisfies(version, engines), true, version)
  for (const version of bad) t.equal(satisfies(version, engines), false, version)
})

t.test('installing', async (t) => {
  const { install, calls, note, packages } = await checkout(t)
  const { tool, rest } = packages

  const { stdout } = await install({ NODE_ENV: 'production' })
  t.equal(await calls(), 'ci --include=dev --no-progress\n', 'npm ci, with the tools')
  t.equal(stdout.split('\n')[0], 'Installing the dependencies (npm ci) …', 'it says what it does')
  await t.rejects(install({ NPM_FAILS: '3', NPM_SAYS: 'npm error code ENOTFOUND' }), {
    code: 3,
    message:
      /npm ci --include=dev --no-progress failed \(3\):\nnpm error code ENOTFOUND\n\nnpm does not reach its registry/
  })
  await calls()
  await install({}, '{ tools: false }')
  t.equal(await calls(), 'ci --omit=dev --no-progress\n', 'what only starts needs no tools for tests and lint')

  await note(rest)
  await install({}, '{ tools: false }')
  t.equal(await calls(), '', 'nothing to do')
  await install()
  const add = 'install --no-save --include=dev --no-progress\n'
  t.equal(await calls(), add, 'the tools are added; npm ci would delete what a running npm start reads')

  await note({ ...rest, ...tool })
  await install()
  await install({}, '{ tools: false }')
  t.equal(await calls(), '', 'a start takes no tools away')
  await note(tool)
  await install({}, '{ tools: false }')
  t.equal(await calls(), 'ci --include=dev --no-progress\n', 'nor does it when something else is missing')
})

t.test('a Node that is too old is refused', async (t) => {
  const { install, folder } = await checkout(t)
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ engines: { node: '^18.0.0' } }))
  await t.rejects(install(), { message: /This is Node\.js [\d.]+, and Latchkey needs \^18\.0\.0/ })
})

t.test('what to do after npm failed is told by what it said', async (t) => {
  t.match(installAdvice('npm error code EAI_AGAIN'), 'Check the network')
  t.match(installAdvice('npm error code SELF_SIGNED_CERT_IN_CHAIN'), 'NODE_EXTRA_CA_CERTS')
  t.match(installAdvice('npm error code EACCES'), 'your own')
  t.match(installAdvice('npm error nospc ENOSPC: no space left on device'), 'disk is full')
  t.match(installAdvice('npm error code E403'), 'refuses')
  t.match(installAdvice('npm error code EINTEGRITY'), 'package-lock.json')
  t.match(installAdvice('npm error something'), 'What npm said is above')
})

/** A checkout without dependencies, and an npm that writes down how it was called. */
async function checkout(t: Test) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-install-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await cp(scripts, path.join(folder, 'scripts'), { recursive: true })
  const rest = { 'node_modules/needed': { version: '1.0.0' } }
  const tool = { 'node_modules/tool': { version: '1.0.0', dev: true } }
  const locked = { packages: { '': {}, ...rest, ...tool } }
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ engines: { node: '>=20' } }))
  await writeFile(path.join(folder, 'package-lock.json'), JSON.stringify(locked))
  const bin = path.join(folder, 'bin')
  await mkdir(bin)
  await writeFile(path.join(bin, 'npm'), '#!/bin/sh\necho "$@" >>calls\necho "$NPM_SAYS"\nexit $NPM_FAILS\n')
  await chmod(path.join(bin, 'npm'), 0o755)

  const install = (env = {}, wanted = '{}') => {
    const code = `import { installMissing } from './scripts/install.mjs'
      try { await installMissing(undefined, ${wanted}) } catch (error) { console.error(error.message); process.exitCode = error.exitCode ?? 9 }`
    return promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
      cwd: folder,
      env: plainEnvironment({ PATH: `${bin}:${process.env['PATH']}`, ...env })
    })
  }
  /** What npm was called with since this was asked last. */
  const calls = async () => {
    const file = path.join(folder, 'calls')
    const said = await readFile(file, 'utf8').catch(() => '')
    await rm(file, { force: true })
    return said
  }
  /** Writes what npm would have noted. */
  const note = async (installed: object) => {
    await mkdir(path.join(folder, 'node_modules'), { recursive: true })
    await writeFile(path.join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }))
  }
  return { folder, install, calls, note, packages: { rest, tool } }
}
