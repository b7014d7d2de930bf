import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, symlink } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { accessClaims, accessToken, makeKey } from '../../testing/src/tokens.ts'
import { README_ISSUER } from './readme.ts'

export const run = promisify(execFile)
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** A project elsewhere with the packed verifier in it, and an issuer on this machine. */
export interface Elsewhere {
  readonly folder: string
  /** Where the package stands in it. */
  readonly installed: string
  /** Of the issuer, which answers every path with its key set. */
  readonly port: number
  readonly kid: string
  /** A good token of the README's issuer. */
  readonly token: string
}

/** Packs the verifier as npm does and puts it into a project, beside links to these packages of ours. */
export async function installElsewhere(t: Test, packages: readonly string[]): Promise<Elsewhere> {
  const key = await makeKey()
  const token = accessToken(key, accessClaims(README_ISSUER, 'latchkey', Math.floor(Date.now() / 1000)))
  const issuer = createServer((_request, answer) => answer.end(JSON.stringify({ keys: [key.jwk] })))
  await once(issuer.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => issuer.close())
  const { port } = issuer.address() as AddressInfo

  const folder = t.testdir({
    'package.json': '{"name": "elsewhere", "type": "module"}',
    node_modules: { '@latchkey': { verifier: {} }, '@types': {}, '@fastify': {} },
    packed: {}
  })
  // npm of another project's settings: no script's variables, and nothing that a network could be reached by.
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], npm_config_offline: 'true' }
  await run('npm', ['pack', '--pack-destination', join(folder, 'packed')], {
    cwd: join(ROOT, 'packages', 'verifier'),
    env
  })
  const [tarball = ''] = await readdir(join(folder, 'packed'))
  const installed = join(folder, 'node_modules', '@latchkey', 'verifier')
  await run('tar', ['-xzf', join(folder, 'packed', tarball), '-C', installed, '--strip-components=1'])
  for (const name of packages) await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  return { folder, installed, port, kid: key.kid, token }
}

/** Starts a script that says where it listens, and returns its URL. It ends with the test. */
export async function startScript(t: Test, folder: string, script: string): Promise<string> {
  const child = spawn(process.execPath, [script], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  for await (const line of createInterface({ input: child.stdout })) {
    const [, port] = /^listening on (\d+)$/.exec(line) ?? []
    if (port) return `http://127.0.0.1:${port}`
  }
  throw new Error(`${script} ended`)
}
