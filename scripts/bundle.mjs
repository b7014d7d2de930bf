// Bundles services: for each entry point one script, and for what they share or load later a few more. Reads the
// sources, also those of the packages. Needs nothing but packages that are no dev dependencies, because the
// images run it too:
//
//   node scripts/bundle.mjs auth
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { decode, encode } from '@jridgewell/sourcemap-codec'
import * as esbuild from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The entry points of each service, below its src and its dist: what a command, another script or a thread begins with. */
export const ENTRIES = {
  auth: ['server', 'migrate', 'admin', 'audit', 'passwords/worker'],
  resource: ['server'],
  chat: ['server', 'migrate', 'audit']
}

/** The packages that stay outside the bundles, each with its reason. */
export const OUTSIDE = {
  '@fastify/swagger': 'for one request alone: a load that failed, as for want of files, can be tried again',
  bcrypt: 'native code, which it finds beside its own files',
  bcryptjs: 'only one of it and bcrypt is loaded',
  'node-pg-migrate': 'for one command alone',
  pg: 'tracing finds it by its name (docs/tracing.md)',
  'swagger-ui-dist': 'files for browsers',
  tinypool: 'its threads begin with a file of its own'
}

/**
 * What packages ask for and go on without. Outside also where it is installed, as by a tool that is only for development:
 * the bundle would be another one there.
 */
export const OPTIONAL = ['@node-rs/xxhash', 'bufferutil', 'pg-native', 'supports-color', 'utf-8-validate']

/**
 * Bundles a service into its dist folder, where older files stay. The code stays readable: nothing is minified, and
 * source maps lead from it to the sources.
 *
 * @param {string} name such as auth
 * @returns {Promise<string[]>} the files that were made, relative to the repository
 */
export async function bundle(name) {
  const folder = path.join(root, 'services', name)
  const outdir = path.join(folder, 'dist')
  /** @type {string[]} */
  const lists = []
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: entriesOf(name).map((entry) => path.join(folder, 'src', `${entry}.ts`)),
    outbase: path.join(folder, 'src'),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    conditions: ['@latchkey/source'],
    external: [...Object.keys(OUTSIDE), ...OPTIONAL],
    // Packages in the older form call it for the modules of Node.
    banner: { js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)" },
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'inline',
    metafile: true,
    logLevel: 'warning',
    plugins: [listsIn(outdir, lists), sourcesIn(outdir)]
  })
  const made = Object.keys(metafile.outputs)
  for (const file of made.filter((file) => file.endsWith('.map'))) shorten(path.join(root, file))
  return [...made, ...lists.map((file) => path.relative(root, file).replaceAll(path.sep, '/'))]
}

/** @param {string} name */
function entriesOf(name) {
  const entries = /** @type {Record<string, string[]>} */ (ENTRIES)[name]
  if (!entries) throw new Error(`There is no service ${name}; there are ${Object.keys(ENTRIES).join(', ')}.`)
  return entries
}

/** The list of passwords that nobody may choose. */
const LIST = 'passwords/common-passwords'

/**
 * Has a bundle, which lies in the dist folder itself, read the list of common passwords from a file below it. That is made
 * here, by the source that the tests run, and has the licence of its package beside it. So the package is not needed to run
 * a service. A list that is not the one that was made, such as half of it, ends the start: common passwords would pass.
 *
 * @param {string} outdir
 * @param {string[]} made gets the files
 * @returns {esbuild.Plugin}
 */
const listsIn = (outdir, made) => ({
  name: 'lists',
  setup(build) {
    build.onLoad({ filter: /[\\/]passwords[\\/]common-passwords\.ts$/ }, async ({ path: file }) => {
      const [list, licence] = [path.join(outdir, `${LIST}.txt`), path.join(outdir, `${LIST}.LICENSE.txt`)]
      const { outputFiles } = await esbuild.build({
        entryPoints: [file],
        bundle: true,
        write: false,
        format: 'esm',
        platform: 'node'
      })
      const script = `data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`
      await mkdir(path.dirname(list), { recursive: true })
      const words = (await import(script)).COMMON_PASSWORDS
      await writeFile(list, words)
      await copyFile(path.join(root, 'node_modules/@zxcvbn-ts/language-common/LICENSE.txt'), licence)
      made.push(list, licence)
      return { contents: readerOf(createHash('sha256').update(words).digest('hex')) }
    })
  }
})

/** @param {string} sha256 of the list */
const readerOf = (sha256) => `
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export const COMMON_PASSWORDS = readFileSync(new URL('./${LIST}.txt', import.meta.url))
if (createHash('sha256').update(COMMON_PASSWORDS).digest('hex') !== '${sha256}')
  throw new Error('${LIST}.txt is not the list of this build: remove the dist folder that it is in, and build again')
`

/**
 * Lets each of our files go on as if it were compiled to the dist folder of its own package, beside which it finds its
 * pages, migrations and threads.
 *
 * @param {string} outdir
 * @returns {esbuild.Plugin}
 */
const sourcesIn = (outdir) => ({
  name: 'sources',
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path: file }) => {
      const text = await readFile(file, 'utf8')
      // Below the root, which may itself be below a folder of the name src.
      const compiled = path.relative(root, file).replace(/([\\/])src([\\/].*)\.ts$/, '$1dist$2.js')
      const place = path.relative(outdir, path.join(root, compiled)).replaceAll(path.sep, '/')
      const contents = text.replaceAll('import.meta.url', `new URL('${place}', import.meta.url).href`)
      return { contents, loader: 'ts' }
    })
  }
})

/**
 * Leaves in a source map, of the code of others, the lines alone: Node keeps the map in memory, and this makes it a
 * third as large.
 *
 * @param {string} file
 */
function shorten(file) {
  const map = JSON.parse(readFileSync(file, 'utf8'))
  const others = map.sources.map((/** @type {string} */ source) => source.includes('node_modules'))
  const lines = decode(map.mappings).map((line) =>
    line.filter(([, source = 0], place) => place === 0 || !others[source])
  )
  writeFileSync(file, JSON.stringify({ ...map, names: [], mappings: encode(lines) }))
}

const [, script = '', ...names] = process.argv
if (script && realpathSync(script) === fileURLToPath(import.meta.url)) for (const name of names) await bundle(name)
