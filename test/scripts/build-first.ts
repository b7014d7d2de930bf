import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { plainEnvironment } from './plain-environment.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BUILD = `import { build } from './scripts/build.mjs'; await build()`

/** Builds what a script under test would build, and say so: npm test has built already, tap alone has not. */
export async function buildFirst(): Promise<void> {
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', BUILD], {
    cwd: ROOT,
    env: plainEnvironment()
  })
}
