import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './command.mjs'

const DIST = path.join(root, 'packages/verifier/dist')

/** The packages that the verifier needs and no registry has. Their copies are in its `dist/built-in`. */
export const BUILT_IN = ['problems', 'tokens']

/**
 * Builds the packages of {@link BUILT_IN} into the verifier, so that its tarball names no other package of this
 * repository. Copies their compiled files, and replaces their names in imports by paths. Can be repeated.
 */
export function buildIn() {
  if (!existsSync(DIST)) return
  const place = path.join(DIST, 'built-in')
  for (const name of BUILT_IN) {
    const filter = (/** @type {string} */ file) => !path.basename(file).startsWith('.')
    cpSync(path.join(root, 'packages', name, 'dist'), path.join(place, name), { recursive: true, filter })
  }
  const files = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(js|d\.ts)$/.test(file))
  for (const file of files) {
    const before = readFileSync(path.join(DIST, file), 'utf8')
    const up = '../'.repeat(file.split(path.sep).length - 1) || './'
    const after = before.replace(/'@latchkey\/(\w+)\/([\w-]+)'/g, (name, ours, module) =>
      BUILT_IN.includes(ours) ? `'${up}built-in/${ours}/${module}.js'` : name
    )
    if (after !== before) writeFileSync(path.join(DIST, file), after)
  }
}
