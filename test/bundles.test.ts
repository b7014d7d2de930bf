import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { startChild } from '@latchkey/testing/child'
import t from 'tap'
import { ENTRIES, OPTIONAL, OUTSIDE } from '../scripts/bundle.mjs'
import { COMMON_PASSWORDS } from '../services/auth/src/passwords/common-passwords.ts'

const SERVICES = fileURLToPath(new URL('../services', import.meta.url))

/** What a script of dist loads, by any of the ways that a bundle has. */
const LOADED =
  /^(?:import|export) .*?(?:from )?"([^"]+)";$|\b(?:import|__require\d*|load|href\)\.resolve)\("([^"]+)"\)/gm

/** What is taken out of a script that is loaded later. A package in the older form has nothing but a default there. */
const LATER = /\{ ([^{}\n]+) \} = await import\("\.\/([^"]+)"\)/g

const loaded = new Set<string>()

for (const [name, entries] of Object.entries(ENTRIES)) {
  const dist = path.join(SERVICES, name, 'dist')
  const scripts = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith('.js'))
  const texts = await Promise.all(scripts.map((file) => readFile(path.join(dist, file), 'utf8')))
  for (const [, one, other] of texts.flatMap((text) => [...text.matchAll(LOADED)])) loaded.add(one ?? other ?? '')

  t.test(`what ${name} loads later has the names that are asked for`, (t) => {
    for (const [, names = '', file = ''] of texts.flatMap((text) => [...text.matchAll(LATER)])) {
      const [, exported = ''] = /^export \{(.*?)^\};$|^export default /ms.exec(texts[scripts.indexOf(file)] ?? '') ?? []
      const given = exported.split(',').map((line) => line.trim().replace(/^.* as /, ''))
      t.strictSame(
        names.split(',').filter((asked) => !['default', ...given].includes(asked.trim().replace(/:.*/, ''))),
        [],
        `${file} has ${names}`
      )
    }
    t.ok(texts.join().match(LATER))
    t.end()
  })

  t.test(`each command of ${name} is an entry, and each entry is there`, async (t) => {
    const { scripts: commands } = JSON.parse(await readFile(path.join(dist, '../package.json'), 'utf8'))
    const begun = Object.values<string>(commands).map((line) => /dist\/(.+)\.js$/.exec(line)?.[1])
    t.strictSame(
      begun.filter((entry) => !entries.includes(String(entry))),
      []
    )
    t.strictSame(
      entries.filter((entry) => !existsSync(path.join(dist, `${entry}.js`))),
      []
    )
  })

  t.test(`who reads the bundles of ${name} finds names, lines and where each part is from`, async (t) => {
    const all = texts.join('\n')
    t.match(all, '\n// packages/frame/src/process.ts\n')
    t.match(all, '\nasync function runService(name, start')
    t.match(all, '\n// node_modules/fastify/fastify.js\n')
  })
}

t.test(
  'common passwords are a file beside the bundle of auth, with its licence; without all of it nothing starts',
  async (t) => {
    const list = path.join(SERVICES, 'auth/dist/passwords/common-passwords.txt')
    t.ok((await readFile(list)).equals(COMMON_PASSWORDS), 'the words that the tests know')
    t.match(await readFile(list.replace('.txt', '.LICENSE.txt'), 'utf8'), 'Permission is hereby granted')
    const dir = t.testdir()
    await cp(path.join(SERVICES, 'auth/dist'), dir, { recursive: true, filter: (file) => file !== list })
    const start = () => startChild(t, pathToFileURL(path.join(dir, 'server.js')), {}).ended
    t.match(await start(), { code: 1, stderr: /^auth: .*common-passwords\.txt'\n$/ })
    for (const words of [COMMON_PASSWORDS.subarray(0, 200_000), Buffer.alloc(0)]) {
      await writeFile(path.join(dir, 'passwords/common-passwords.txt'), words)
      t.match(await start(), {
        code: 1,
        stderr: /^auth: passwords\/common-passwords\.txt is not the list of this build: .*\n$/
      })
    }
  }
)

t.test('the bundles need nothing but Node and the packages of the list', async (t) => {
  const names = [...loaded].filter((from) => /^[a-z@]/.test(from) && !isBuiltin(from))
  const packages = new Set(names.map((from) => from.replace(/^(@[^/]+\/)?([^/]+).*/, '$1$2')))
  t.strictSame([...packages].filter((name) => !OPTIONAL.includes(name)).sort(), Object.keys(OUTSIDE).sort())
})

t.test('a clone below a folder of the name src finds what lies beside its files, too', async (t) => {
  const root = path.dirname(SERVICES)
  const clone = path.join(t.testdir(), 'src/clone')
  const isSource = (file: string) => !/[\\/](dist|test|node_modules)$/.test(file)
  for (const part of ['packages', 'scripts', 'services/resource', 'tsconfig.json'])
    await cp(path.join(root, part), path.join(clone, part), { recursive: true, filter: isSource })
  const modules = path.join(clone, 'node_modules')
  await mkdir(modules)
  for (const name of await readdir(path.join(root, 'node_modules')))
    if (name !== '@latchkey') await symlink(path.join(root, 'node_modules', name), path.join(modules, name))
  await cp(path.join(root, 'node_modules/@latchkey'), path.join(modules, '@latchkey'), {
    recursive: true,
    verbatimSymlinks: true
  })
  await promisify(execFile)(process.execPath, ['scripts/bundle.mjs', 'resource'], { cwd: clone })
  const places = await placesIn(path.join(clone, 'services/resource/dist'))
  t.ok(places.length > 0)
  t.strictSame(places, await placesIn(path.join(SERVICES, 'resource/dist')))
})

t.test(
  'a file that looks for others beside it is not in a script below dist, from where it would not find them',
  async (t) => {
    t.strictSame(await placesIn(path.join(SERVICES, 'auth/dist/passwords')), [])
  }
)

/** Where the scripts of a folder say that their files would have been compiled to. */
async function placesIn(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.js'))
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')))
  return texts
    .flatMap((text) =>
      [...text.matchAll(/new URL\("([^"]+)", import\.meta\.url\)\.href/g)].map(([, place = '']) => place)
    )
    .sort()
}
