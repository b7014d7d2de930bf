import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { root } from '../scripts/command.mjs'

/**
 * Imports a module of a service by its source. The dist folder of a service has only what processes begin with.
 *
 * @param {string} file such as `services/auth/src/keys/folder.ts`
 * @returns {Promise<any>} its exports
 */
export async function sourceOf(file) {
  const outfile = path.join(root, 'node_modules/.cache/latchkey-bench', file.replace(/\.ts$/, '.mjs'))
  await build({
    absWorkingDir: root,
    entryPoints: [file],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@latchkey/source'],
    external: ['pg', 'jose'],
    logLevel: 'warning'
  })
  return import(pathToFileURL(outfile).href)
}
