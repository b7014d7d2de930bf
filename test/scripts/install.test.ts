import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { isInstalled } from '../../scripts/install.mjs'
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
  // A checkout without dependencies, and an npm that writes down how it was called.
  const checkout = await mkdtemp(path.join(os.tmpdir(), 'latchkey-install-'))
  t.teardown(() => rm(checkout, { recursive: true }))
  await cp(scripts, path.join(checkout, 'scripts'), { recursive: true })
  await writeFile(path.join(checkout, 'package.json'), JSON.stringify({ engines: { node: '>=20' } }))
  await writeFile(path.join(checkout, 'package-lock.json'), JSON.stringify({ packages: { '': {} } }))
  const bin = path.join(checkout, 'bin')
  const calls = path.join(checkout, 'calls')
  await mkdir(bin)
  await writeFile(path.join(bin, 'npm'), '#!/bin/sh\npwd >>calls\necho "$@" >>calls\nexit $NPM_FAILS\n')
  await chmod(path.join(bin, 'npm'), 0o755)
  const code = `import { installMissing } from './scripts/install.mjs'
    try { await installMissing() } catch (error) { console.error(error.message); process.exitCode = error.exitCode ?? 9 }`
  const install = (env = {}) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
      cwd: checkout,
      env: plainEnvironment({ PATH: `${bin}:${process.env['PATH']}`, ...env })
    })

  await install({ NODE_ENV: 'production' })
  t.equal(await readFile(calls, 'utf8'), `${checkout}\nci --include=dev\n`, 'npm ci, with development dependencies')
  await t.rejects(install({ NPM_FAILS: '3' }), { code: 3, message: /npm ci --include=dev failed \(3\)/ })

  await rm(calls)
  await mkdir(path.join(checkout, 'node_modules'))
  await writeFile(path.join(checkout, 'node_modules/.package-lock.json'), JSON.stringify({ packages: {} }))
  await install()
  await t.rejects(readFile(calls), { code: 'ENOENT' }, 'nothing to do')

  await writeFile(path.join(checkout, 'package.json'), JSON.stringify({ engines: { node: '^18.0.0' } }))
  await t.rejects(install(), { message: /This is Node\.js [\d.]+, and Latchkey needs \^18\.0\.0/ })
})
