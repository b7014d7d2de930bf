import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { plainEnvironment } from './plain-environment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const checkout = await mkdtemp(path.join(os.tmpdir(), 'latchkey-build-'))
t.teardown(() => rm(checkout, { recursive: true }))

const write = async (file: string, text: string) => {
  await mkdir(path.dirname(path.join(checkout, file)), { recursive: true })
  await writeFile(path.join(checkout, file), text)
}
const dist = (file: string) => path.join(checkout, 'packages/one/dist', file)

/** Builds the checkout; resolves with what was printed, nothing when there was nothing to do. */
async function build(): Promise<string> {
  const code = `import { build } from './scripts/build.mjs'; await build()`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
    cwd: checkout,
    env: plainEnvironment()
  })
  return stdout
}

await cp(path.join(root, 'scripts'), path.join(checkout, 'scripts'), { recursive: true })
await mkdir(path.join(checkout, 'node_modules'))
for (const name of ['typescript', 'esbuild', '@esbuild', '@jridgewell']) {
  await symlink(path.join(root, 'node_modules', name), path.join(checkout, 'node_modules', name))
}
const options = { module: 'nodenext', target: 'es2023', lib: ['es2023'], types: [], declaration: true, composite: true }
await write('package.json', '{ "type": "module" }')
await write('package-lock.json', '{}')
await write('tsconfig.json', JSON.stringify({ compilerOptions: options }))
await write(
  'tsconfig.build.json',
  JSON.stringify({ files: [], references: [{ path: './packages/one/tsconfig.build.json' }] })
)
await write('packages/one/package.json', '{ "type": "module" }')
await write(
  'packages/one/tsconfig.build.json',
  JSON.stringify({
    extends: '../../tsconfig.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' },
    include: ['src']
  })
)
await write('services/resource/package.json', '{ "type": "module" }')
await write(
  'services/resource/src/server.ts',
  `import { c } from '../../../packages/one/src/deep/c.ts'\nconsole.log(c)\n`
)
await write('packages/one/src/b.ts', 'export const b: number = 1\n')
await write('packages/one/src/deep/c.ts', 'export const c: number = 1\n')

t.test('a build that failed does not count', async (t) => {
  await write('packages/one/src/a.ts', 'export const a: number = "one"\n')
  const error = await build().catch((error) => error)
  t.match(error.stdout, /a\.ts.*error/)
  t.notOk(existsSync(path.join(checkout, 'node_modules/.latchkey-build.json')))
  await write('packages/one/src/a.ts', 'export const a: number = 1\n')
})

t.test('builds what is there, and then has nothing to do', async (t) => {
  t.match(await build(), 'Building')
  t.match(await readFile(dist('deep/c.js'), 'utf8'), 'c = 1')
  const { mtimeMs } = await stat(dist('.tsbuildinfo'))
  t.equal(await build(), '')
  t.equal((await stat(dist('.tsbuildinfo'))).mtimeMs, mtimeMs)
})

t.test('a service is one script with what it imports', async (t) => {
  const server = path.join(checkout, 'services/resource/dist/server.js')
  t.match(await readFile(server, 'utf8'), 'var c = 1')
  await write('packages/one/src/deep/c.ts', 'export const c: number = 3\n')
  t.match(await build(), 'Building')
  t.match(await readFile(server, 'utf8'), 'var c = 3')
  await rm(server)
  t.match(await build(), 'Building')
  t.ok(existsSync(server))
})

t.test('a bundle of older content goes, and one that cannot be made leaves the last', async (t) => {
  const older = path.join(checkout, 'services/resource/dist/chunk-OLDER.js')
  await write('services/resource/dist/chunk-OLDER.js', '')
  await write('packages/one/src/deep/c.ts', 'export const d: number = 3\n')
  const error = await build().catch((error) => error)
  t.match(error.stderr, /No matching export.*"c"/)
  t.ok(existsSync(older))
  await write('packages/one/src/deep/c.ts', 'export const c: number = 4\n')
  t.match(await build(), 'Building')
  t.notOk(existsSync(older))
})

t.test('an older file in the place of a newer, and a deleted source are seen', async (t) => {
  await write('packages/one/src/a.ts', 'export const a: number = 2\n')
  await utimes(path.join(checkout, 'packages/one/src/a.ts'), 0, 0)
  await rm(path.join(checkout, 'packages/one/src/b.ts'))
  t.match(await build(), 'Building')
  t.match(await readFile(dist('a.js'), 'utf8'), 'a = 2')
  t.notOk(existsSync(dist('b.js')))
  t.notOk(existsSync(dist('b.d.ts')))
  t.equal(await build(), '')
})

t.test('a lost output is made again', async (t) => {
  await rm(dist('deep/c.js'))
  t.match(await build(), 'Building')
  t.ok(existsSync(dist('deep/c.js')))
})

t.test('what another version of the build noted counts as nothing', async (t) => {
  await write('node_modules/.latchkey-build.json', '{"packages/one/src/a.ts":"0"}')
  t.match(await build(), 'Building')
  t.equal(await build(), '')
})
