// The packed verifier, installed by each package manager in a folder of its own, with a home and caches of its own, and then
// run: the snippets of its README let a good token in and refuse a bad one. No manager asks a registry for a package of ours.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { accessClaims, accessToken, makeKey } from '@latchkey/testing/tokens'
import t, { type Test } from 'tap'
import { listening, played, README_ISSUER, readmeSnippet } from '../../packages/verifier/test/readme.ts'
import { startRegistry } from './registry.ts'
import { isInstalled, makeFolder, TOOLS } from './tools.ts'

const run = promisify(execFile)
const VERIFIER = fileURLToPath(new URL('../../packages/verifier', import.meta.url))
const MODULES = join(TOOLS, 'managers/node_modules')
const YARN_4 = [process.execPath, join(MODULES, '@yarnpkg/cli-dist/bin/yarn.js')]

type Command = readonly string[]

/** How a manager adds a package to a project, and how its users run a script. */
interface Manager {
  readonly command: Command
  readonly run?: Command
  /** Its file of settings, where it does not read `.npmrc`. */
  readonly settings?: (registry: string) => Readonly<Record<string, string>>
  /** In place of `add`: unpacks the tarball and says in a file where it is, as the README tells. */
  readonly unpacks?: true
}

const yarn4 = (linker: string) => (registry: string) => ({
  '.yarnrc.yml': `nodeLinker: ${linker}\nnpmRegistryServer: "${registry}"\nunsafeHttpWhitelist: ["127.0.0.1"]\nenableTelemetry: false\n`,
  'yarn.lock': ''
})

const MANAGERS: Record<string, Manager> = {
  npm: { command: ['npm'] },
  pnpm: { command: [join(MODULES, '.bin/pnpm')] },
  'yarn 1': { command: [process.execPath, join(MODULES, 'yarn/bin/yarn.js')] },
  'yarn 4 with node_modules': { command: YARN_4, settings: yarn4('node-modules') },
  "yarn 4 with Plug'n'Play": { command: YARN_4, run: [...YARN_4, 'node'], settings: yarn4('pnp') },
  bun: { command: [join(MODULES, '.bin/bun')], run: [join(MODULES, '.bin/bun')] },
  deno: { command: [join(MODULES, '.bin/deno')], run: [join(MODULES, '.bin/deno'), 'run', '-A'], unpacks: true }
}

const key = await makeKey()
const token = accessToken(key, accessClaims(README_ISSUER, 'latchkey', Math.floor(Date.now() / 1000)))
const issuer = createServer((_request, answer) => answer.end(JSON.stringify({ keys: [key.jwk] })))
await once(issuer.listen(0, '127.0.0.1'), 'listening')
t.teardown(() => issuer.close())
const { port } = issuer.address() as AddressInfo

const packed = await makeFolder(t)
await run('npm', ['pack', '--pack-destination', packed], { cwd: VERIFIER })
const [tarball = ''] = await readdir(packed)
const registry = await startRegistry(t)

for (const [name, manager] of Object.entries(MANAGERS)) {
  const skip = name === 'npm' || isInstalled('managers') ? false : 'test/interop/install.sh has not installed managers'
  t.test(`${name} installs the tarball alone, and what it installs verifies`, { skip }, async (t) => {
    const folder = await makeFolder(t)
    const before = registry.asked.length
    const project = makeProject(folder, manager)
    await project.begin()
    await project.add(`./${tarball}`)
    t.same(await project.verdicts(), [`Ada is user`, 'invalid_token 401'], 'the main entry')
    t.same(await answers(await project.start(t, 'with-http.mjs')), [200, 401], 'the guard of node:http')

    await project.add('fastify')
    t.same(await answers(await project.start(t, 'with-fastify.mjs')), [200, 401], 'the plugin of Fastify')
    const asked = registry.asked.slice(before)
    t.match(asked.join(), 'fastify-plugin', 'it asked this registry')
    t.same(
      [...new Set(asked)].filter((other) => other.includes('latchkey')),
      [],
      'and for nothing of ours'
    )
  })
}

function makeProject(folder: string, { command, run: runner = [process.execPath], settings, unpacks }: Manager) {
  const env = {
    PATH: process.env.PATH,
    HOME: join(folder, 'home'),
    DENO_DIR: join(folder, 'home/deno'),
    YARN_CACHE_FOLDER: join(folder, 'home/yarn'),
    // Nothing but this machine can be reached.
    https_proxy: 'http://127.0.0.1:1',
    no_proxy: '127.0.0.1'
  }
  const [program = '', ...args] = command
  const [run1 = '', ...runArgs] = runner
  const at = { cwd: folder, env }
  const write = async (name: string, change = (code: string) => code) =>
    writeFile(join(folder, name), change(played(readmeSnippet(name), port)))

  async function begin(): Promise<void> {
    await mkdir(env.HOME)
    await copyFile(join(packed, tarball), join(folder, tarball))
    const files = { '.npmrc': `registry=${registry.url}/\n`, ...settings?.(registry.url) }
    if (!unpacks)
      await writeFile(join(folder, 'package.json'), '{"name": "elsewhere", "private": true, "type": "module"}')
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  }

  async function add(what: string): Promise<void> {
    if (!unpacks) await run(program, [...args, 'add', what], at)
    else if (what.endsWith('.tgz')) {
      await mkdir(join(folder, 'vendor'))
      await run('tar', ['-xzf', what, '-C', 'vendor'], at)
      await writeFile(join(folder, 'deno.json'), readmeSnippet('deno.json'))
    }
  }

  async function verdicts(): Promise<string[]> {
    await write('plain.mjs')
    const said = []
    for (const text of [token, 'nonsense']) {
      const { stdout } = await run(run1, [...runArgs, 'plain.mjs', text], at)
      said.push(stdout.trim().replace(/ \([\w-]{36}\)/, ''))
    }
    return said
  }

  async function start(t: Test, name: string): Promise<string> {
    await write(name, listening)
    const child = spawn(run1, [...runArgs, name], { ...at, stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill())
    for await (const line of createInterface({ input: child.stdout })) {
      const [, port] = /listening on (\d+)$/.exec(line) ?? []
      if (port) return `http://127.0.0.1:${port}`
    }
    throw new Error(`${name} has ended`)
  }

  return { begin, add, verdicts, start }
}

/** What a server answers to a good token and to a bad one. */
async function answers(url: string): Promise<number[]> {
  const statuses = []
  for (const text of [token, `${token.slice(0, -8)}AAAAAAAA`]) {
    const answer = await fetch(`${url}/greet`, { headers: { authorization: `Bearer ${text}` } })
    statuses.push(answer.status)
    await answer.body?.cancel()
  }
  return statuses
}
