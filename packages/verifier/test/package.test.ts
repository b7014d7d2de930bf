import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { installElsewhere, ROOT, run } from './packed.ts'
import { README_ISSUER } from './readme.ts'

const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')

const { folder, installed, port, token } = await installElsewhere(t, ['fastify', 'fastify-plugin', '@types/node'])

t.test('the package holds what was built, what it stands on, and what a reader needs', async (t) => {
  const files = (await readdir(installed, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
  const odd = files.filter((file) => !/^dist\/(feed\/|built-in\/(problems|tokens)\/)?[\w-]+(\.d\.ts|\.js)$/.test(file))
  t.same(odd.sort(), ['LICENSE', 'README.md', 'package.json'])
  for (const file of files) {
    const text = await readFile(join(installed, file), 'utf8')
    t.notMatch(text, /sourceMappingURL/, file)
    t.notMatch(text, ROOT, file)
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
    typeof target === 'string' ? target : Object.values(Object(target))
  )
  const typed = Object.values(typesVersions['*']).flat()
  const named = [...targets, main, types, ...typed].map(String)
  t.strictSame(
    named.filter((file) => !existsSync(join(installed, file))),
    [],
    'each file that it names is there'
  )
})

t.test('npm pack leaves nothing behind', async (t) => {
  t.equal(existsSync(join(ROOT, 'packages', 'verifier', 'node_modules', '@latchkey')), false)
})

t.test('what is no part of its public face cannot be imported', async (t) => {
  for (const path of ['jwk', 'verifier', 'dist/jwk.js', 'built-in/tokens/rules']) {
    const failing = run(process.execPath, ['-e', `import('@latchkey/verifier/${path}')`], { cwd: folder })
    await t.rejects(failing, { message: /ERR_PACKAGE_PATH_NOT_EXPORTED/ }, path)
  }
})

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
const issuer = '${README_ISSUER}'
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
