import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { accessClaims, accessToken, makeKey } from '../../../test/tokens.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
// The condition under which this workspace runs the sources; nobody else has it.
const OURS = '@latchkey/source'
const EXAMPLE = 'https://auth.example.com'

const key = await makeKey()
const token = accessToken(key, accessClaims(EXAMPLE, 'latchkey', Math.floor(Date.now() / 1000)))
const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const [plain = '', fastify = '', http = ''] = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code = '']) => code)

const issuer = createServer((_request, answer) => answer.end(JSON.stringify({ keys: [key.jwk] }))).listen(
  0,
  '127.0.0.1'
)
await once(issuer, 'listening')
t.teardown(() => issuer.close())
const { port } = issuer.address() as AddressInfo

/** A snippet of the README, asking the issuer of this test and listening on any port. */
const played = (code: string) =>
  code.replaceAll(`${EXAMPLE}/.well-known`, `http://127.0.0.1:${port}/.well-known`).replace('8080', '0')

// npm of another project's settings: no script's variables, and nothing that a network could be reached by.
const environment = { PATH: process.env['PATH'], HOME: process.env['HOME'], npm_config_offline: 'true' }

const folder = t.testdir({
  'package.json': '{"name": "elsewhere", "type": "module"}',
  node_modules: { '@latchkey': { verifier: {} }, '@types': {} },
  packed: {}
})
await run('npm', ['pack', '--pack-destination', join(folder, 'packed')], {
  cwd: join(ROOT, 'packages', 'verifier'),
  env: environment
})
const [tarball = ''] = await readdir(join(folder, 'packed'))
const installed = join(folder, 'node_modules', '@latchkey', 'verifier')
await run('tar', ['-xzf', join(folder, 'packed', tarball), '-C', installed, '--strip-components=1'])
for (const name of ['fastify', 'fastify-plugin', '@types/node']) {
  await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
}

t.test('the package holds what was built, what it stands on, and what a reader needs', async (t) => {
  const files = (await readdir(installed, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
  const odd = files.filter((file) => !/^dist\/(verifier|tokens)\/src\/[\w-]+(\.d\.ts|\.js)$/.test(file))
  t.same(odd.sort(), ['LICENSE', 'README.md', 'package.json'])
  for (const file of files) {
    const text = await readFile(join(installed, file), 'utf8')
    t.notMatch(text, /sourceMappingURL/, file)
    t.equal(text.includes(ROOT), false, file)
    const imported = [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, name = '']) => name)
    const foreign = imported.filter((name) => !/^(\.\.?\/|node:|fastify$|fastify-plugin$)/.test(name))
    if (file.startsWith('dist/')) t.same(foreign, [], `${file} imports nothing that no registry has`)
  }
  t.equal(await readFile(join(installed, 'LICENSE'), 'utf8'), await readFile(join(ROOT, 'LICENSE'), 'utf8'))
})

t.test('it asks a registry for no package of ours, and all that it exports is in it', async (t) => {
  const { dependencies, bundleDependencies, exports, main, types, typesVersions, ...rest } = JSON.parse(
    await readFile(join(installed, 'package.json'), 'utf8')
  )
  t.same([Object.keys(dependencies), bundleDependencies], [['fastify-plugin'], undefined])
  t.match(rest, { license: 'MIT', repository: { directory: 'packages/verifier' }, keywords: ['latchkey'] })
  const targets = Object.values(exports).flatMap((target) =>
    typeof target === 'string'
      ? target
      : Object.entries(Object(target)).flatMap(([as, file]) => (as === OURS ? [] : file))
  )
  const typed = Object.values(typesVersions['*']).flat()
  for (const file of [...targets, main, types, ...typed]) t.ok(existsSync(join(installed, String(file))), String(file))
})

t.test('npm pack leaves nothing behind', async (t) => {
  t.equal(existsSync(join(ROOT, 'packages', 'verifier', 'node_modules', '@latchkey')), false)
})

t.test('what is no part of its public face cannot be imported', async (t) => {
  for (const path of ['jwk', 'verifier', 'dist/verifier/src/jwk.js', 'tokens/errors']) {
    const failing = run(process.execPath, ['-e', `import('@latchkey/verifier/${path}')`], { cwd: folder })
    await t.rejects(failing, { message: /ERR_PACKAGE_PATH_NOT_EXPORTED/ }, path)
  }
})

t.test('the first example of the README verifies a token, and says why it refuses one', async (t) => {
  await writeFile(join(folder, 'plain.js'), played(plain))
  const say = async (text: string) => (await run(process.execPath, ['plain.js', text], { cwd: folder })).stdout
  t.match(await say(token), /^Ada \([\w-]{36}\) is user\n$/)
  t.equal(await say('nonsense'), 'invalid_token 401\n')
  t.match(JSON.parse(await readFile(join(folder, 'jwks-cache.json'), 'utf8')), { keys: [{ kid: key.kid }] })
})

for (const [name, code] of Object.entries({ fastify, http })) {
  t.test(`the example of ${name} of the README lets good tokens in, and refuses like all of Latchkey`, async (t) => {
    await writeFile(join(folder, `${name}.js`), listening(played(code)))
    const url = await start(t, `${name}.js`)
    const good = await fetch(`${url}/greet`, { headers: { authorization: `Bearer ${token}` } })
    t.same([good.status, await good.text()], [200, 'Hello, Ada!'])
    const bad = await fetch(`${url}/greet`, { headers: { authorization: 'Bearer nonsense' } })
    t.equal(bad.status, 401)
    t.equal(bad.headers.get('content-type'), 'application/problem+json')
    t.equal(bad.headers.get('www-authenticate'), 'Bearer realm="latchkey", error="invalid_token"')
    t.match(await bad.json(), { status: 401, code: 'invalid_token', request_id: /./ })
    const none = await fetch(`${url}/greet`)
    t.equal(none.headers.get('www-authenticate'), 'Bearer realm="latchkey"')
    t.match(await none.json(), { status: 401, code: 'missing_token' })
  })
}

t.test('its types are found by each way of resolving modules', async (t) => {
  await mkdir(join(folder, 'ways'))
  await writeFile(join(folder, 'ways', 'main.ts'), WAYS)
  for (const [module, moduleResolution] of [
    ['es2022', 'node10'],
    ['es2022', 'bundler']
  ] as const) {
    const compilerOptions = {
      ...SETTINGS.compilerOptions,
      module,
      moduleResolution,
      noEmit: true,
      ignoreDeprecations: '6.0'
    }
    await writeFile(join(folder, 'ways', 'tsconfig.json'), JSON.stringify({ ...SETTINGS, compilerOptions }))
    const { stdout } = await run(process.execPath, [TSC, '-p', 'ways'], { cwd: folder }).catch((error) => error)
    t.equal(stdout, '', moduleResolution)
  }
})

t.test('it compiles in a strict TypeScript that checks the declarations too', async (t) => {
  await mkdir(join(folder, 'typed'))
  await writeFile(join(folder, 'typed', 'main.ts'), TYPED)
  await writeFile(join(folder, 'typed', 'tsconfig.json'), JSON.stringify(SETTINGS))
  const { stdout } = await run(process.execPath, [TSC, '-p', 'typed'], { cwd: folder }).catch((error) => error)
  t.equal(stdout, '')
  const printed = await run(process.execPath, ['typed/main.js', token], { cwd: folder })
  t.equal(printed.stdout, 'Ada good unavailable\n')
})

/** The snippet, and a line that says where it listens. */
function listening(code: string): string {
  const server = code.includes('createServer') ? 'server' : 'app.server'
  return `${code.replace('createServer(async', 'const server = createServer(async')}
if (!${server}.listening) await new Promise((resolve) => ${server}.once('listening', resolve))
console.log('listening on', ${server}.address().port)`
}

async function start(t: Test, script: string): Promise<string> {
  const child = spawn(process.execPath, [script], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  for await (const line of createInterface({ input: child.stdout })) {
    const [, port] = /^listening on (\d+)$/.exec(line) ?? []
    if (port) return `http://127.0.0.1:${port}`
  }
  throw new Error(`${script} ended`)
}

const SETTINGS = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    target: 'es2023',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node']
  },
  include: ['main.ts']
}

const WAYS = `
import { type AccessClaims, openKeySet } from '@latchkey/verifier'
import accessTokens from '@latchkey/verifier/fastify'
import { authenticate } from '@latchkey/verifier/http'
export const name = (claims: AccessClaims): string => claims.preferred_username
export const all = [openKeySet, accessTokens, authenticate]
// @ts-expect-error: what is imported has its types
openKeySet(1)
`

const TYPED = `
import { type AccessClaims, createVerifier, type KeySetStatus, openKeySet, Problem } from '@latchkey/verifier'
import accessTokens from '@latchkey/verifier/fastify'
import { authenticate } from '@latchkey/verifier/http'
import Fastify from 'fastify'
import { createServer } from 'node:http'

const url = 'http://127.0.0.1:${port}/jwks.json'
const issuer = '${EXAMPLE}'
const keys = await openKeySet({ url, timeout: 2 })
const verifier = createVerifier({ issuer, audience: 'latchkey', keys, trusted: ({ claims }) => claims.epoch === 0 })
const claims: AccessClaims = await verifier.verify(process.argv[2] ?? '')
const { state }: KeySetStatus = keys.status()
const app = Fastify()
await app.register(accessTokens, { verifier })
app.get('/', { onRequest: app.requireAccessToken }, ({ user }) => user.preferred_username.length)
createServer(async (request, response) => {
  const user: AccessClaims | undefined = await authenticate(verifier, request, response)
  if (user) response.end(user.sub)
})
keys.close()
const away = await openKeySet({ url: 'http://127.0.0.1:1/' })
const code = await createVerifier({ issuer, audience: 'latchkey', keys: away }).verify(process.argv[2] ?? '').then(
  () => 'accepted',
  (error: unknown) => (error instanceof Problem ? error.code : 'unknown')
)
away.close()
console.log(claims.preferred_username, state, code)

// @ts-expect-error: an issuer is required
const a = () => createVerifier({ audience: 'latchkey', keys })
// @ts-expect-error: an audience is required
const b = () => createVerifier({ issuer, keys })
// @ts-expect-error: keys come from a URL or a file
const c = () => openKeySet({})
// @ts-expect-error: claims cannot be changed
const d = () => (claims.epoch = 1)
`
