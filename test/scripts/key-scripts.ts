import { execFile } from 'node:child_process'
import { createHash, createPublicKey } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Test } from 'tap'

export const scripts = fileURLToPath(new URL('../../scripts', import.meta.url))
/** Runs a script on a folder; rejects when it fails. */
export async function run(
  script: string,
  folder: string,
  args: string[],
  { input = '', bin = '' } = {}
): Promise<string> {
  const env = { PATH: `${bin}:${process.env['PATH']}`, KEYS_DIR: folder }
  const running = promisify(execFile)(path.join(scripts, script), args, { env })
  // A script that has ended, or ends without reading, takes no input.
  running.child.stdin?.on('error', () => {}).end(input)
  return (await running).stdout
}

/** A folder that is gone when the test ends. */
export async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-keys-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return folder
}

/** Makes keys, which takes its time, and returns what copies them to a folder of a test's own. */
export async function keysToCopy(t: Test): Promise<(t: Test) => Promise<string>> {
  const made = await temporaryFolder(t)
  await run('generate-keys.sh', made, [])
  return async (t) => {
    const folder = await temporaryFolder(t)
    await cp(made, folder, { recursive: true })
    return folder
  }
}

function kidOf(pem: string): string {
  const { e, n } = createPublicKey(pem).export({ format: 'jwk' })
  return createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url')
}

/** The kids of the access keys by their slots; the public halves are checked on the way. */
export async function slots(t: Test, folder: string): Promise<Record<string, string>> {
  const kind = path.join(folder, 'access')
  const names = (await readdir(kind)).filter((name) => name.endsWith('.pem'))
  const privates = names.filter((name) => name.endsWith('.private.pem'))
  t.equal(names.length, 2 * privates.length, 'each private key has its public half, and nothing else has')
  const entries = privates.map(async (name) => {
    const pem = await readFile(path.join(kind, name), 'utf8')
    const half = await readFile(path.join(kind, name.replace('private', 'public')), 'utf8')
    t.equal(kidOf(half), kidOf(pem), `the halves of ${name} belong together`)
    t.equal((await stat(path.join(kind, name))).mode & 0o777, 0o600)
    return [name.replace('.private.pem', ''), kidOf(pem)]
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** The slots of previous keys, in the order of their times. */
export function previous(keys: Record<string, string>): string[] {
  const slots = Object.keys(keys).filter((slot) => /^previous-\d{8}T\d{6}Z(-\d+)?$/.test(slot))
  return slots.sort((a, b) => a.length - b.length || a.localeCompare(b))
}
