import { existsSync } from 'node:fs'
import path from 'node:path'
import { root, run } from './command.mjs'
import { withProgress } from './progress.mjs'

const files = ['access', 'refresh'].flatMap((kind) => ['current', 'next'].map((slot) => `${kind}/${slot}.private.pem`))

/**
 * Makes the keys that are missing.
 *
 * @param {string} folder
 * @param {AbortSignal} [signal] gives up
 */
export async function makeKeys(folder, signal) {
  if (files.every((file) => existsSync(path.join(folder, file)))) return
  const script = ['scripts/generate-keys.sh', folder]
  await withProgress(`Making keys in ${folder.replace(root, '')}`, () => run('bash', script, { quiet: true, signal }))
}
