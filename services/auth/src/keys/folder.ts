import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kind } from '@latchkey/tokens/claims'
import { type FileRights, isPrivate, ownIdentity } from './exposure.ts'
import { KeyFileError, parseKey, type SigningKey } from './key-file.ts'

/** The keys of one kind: the one that signs, and all accepted ones by `kid`. */
export interface KeyRing {
  /** The key that signs now. For a folder it is the one in the slot `current`. */
  readonly current: SigningKey
  readonly accepted: ReadonlyMap<string, SigningKey>
  /**
   * Whether the database was not asked yet. It may have revoked any key, so until then none is published or verifies.
   */
  readonly pending?: boolean
}

/** The keys of both kinds. */
export type Keys = Readonly<Record<Kind, KeyRing>>

/** The key files of a folder as they were together at one moment. */
export interface KeyFiles {
  readonly dir: string
  /** Changes if content, name, mode or owner of any file changes; times of files do not count. */
  readonly digest: string
  readonly files: readonly KeyFile[]
}

interface KeyFile extends FileRights {
  readonly kind: Kind
  readonly name: string
  readonly pem: Buffer
  /** Why it could not be read, such as `ENOENT`. */
  readonly fault?: string | undefined
}

const KINDS: readonly Kind[] = ['access', 'refresh']
const SLOT = /^(current|next|previous-[0-9A-Za-z-]+)\.private\.pem$/
const REVOKED = /^revoked\/(?:([\w-]{43})|.+)\.private\.pem$/
const HOW_TO = 'scripts/generate-keys.sh makes keys where there are none.'

/** Time between two readings of a changing folder, in milliseconds, and their number. */
const SETTLING = 25
const LOOKS = 40

/** Reads and parses the keys of a folder that is not used yet; see {@link readKeyFiles} and {@link parseKeys}. */
export async function loadKeys(dir: string, warn: (message: string) => void): Promise<Keys> {
  return parseKeys(await readKeyFiles(dir), warn)
}

/**
 * Reads `<dir>/<kind>/<slot>.private.pem` and `<dir>/<kind>/revoked/*.private.pem`; an unreadable file is noted.
 *
 * Files may be renamed and replaced meanwhile, so a folder whose digest is not `known` is read until two readings
 * agree. Throws {@link KeyFileError} if none agree within a second.
 */
export async function readKeyFiles(dir: string, known?: string): Promise<KeyFiles> {
  let seen = await look(dir)
  for (let looks = 1; seen.digest !== known; looks += 1) {
    await sleep(SETTLING)
    const again = await look(dir)
    if (again.digest === seen.digest) break
    if (looks === LOOKS) throw new KeyFileError(dir, 'does not stop changing.')
    seen = again
  }
  return seen
}

async function look(dir: string): Promise<KeyFiles> {
  const files = (await Promise.all(KINDS.map((kind) => lookAt(dir, kind)))).flat()
  const digest = createHash('sha256')
  for (const { kind, name, mode, uid, gid, pem, fault } of files) {
    digest.update(JSON.stringify([kind, name, mode, uid, gid, fault, pem.toString('base64')]))
  }
  return { dir, digest: digest.digest('base64url'), files }
}

async function lookAt(dir: string, kind: Kind): Promise<KeyFile[]> {
  const list = (folder: string) => readdir(join(dir, kind, folder)).catch(codeOf)
  const [slots, revoked] = await Promise.all([list('.'), list('revoked')])
  if (typeof slots === 'string') return [unread(kind, '.', slots)]
  const names = slots.filter((name) => SLOT.test(name)).sort()
  if (typeof revoked === 'string') {
    const files = await readAll(dir, kind, names)
    return revoked === 'ENOENT' ? files : [...files, unread(kind, 'revoked', revoked)]
  }
  const withdrawn = revoked.map((name) => `revoked/${name}`).filter((name) => REVOKED.test(name))
  return readAll(dir, kind, [...names, ...withdrawn.sort()])
}

function readAll(dir: string, kind: Kind, names: readonly string[]): Promise<KeyFile[]> {
  return Promise.all(
    names.map(async (name) => {
      const path = join(dir, kind, name)
      try {
        const info = await stat(path)
        // Opening a named pipe would wait for its writer.
        if (!info.isFile()) return unread(kind, name, 'no regular file')
        const { mode, uid, gid } = info
        return { kind, name, mode, uid, gid, pem: await readFile(path) }
      } catch (error) {
        return unread(kind, name, codeOf(error as NodeJS.ErrnoException))
      }
    })
  )
}

function unread(kind: Kind, name: string, fault: string): KeyFile {
  return { kind, name, mode: 0, uid: 0, gid: 0, pem: Buffer.alloc(0), fault }
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message
}

/**
 * Makes the keys of both kinds from their files.
 *
 * Each must be valid for {@link parseKey} and be in one place; only a previous key may be in another slot too, as in
 * the middle of a rotation. `warn` gets files that others may read. Throws {@link KeyFileError}.
 */
export async function parseKeys({ dir, files }: KeyFiles, warn: (message: string) => void): Promise<Keys> {
  const ring = (kind: Kind) => {
    const own = files.filter((file) => file.kind === kind)
    return parseRing(join(dir, kind), own, warn)
  }
  const [access, refresh] = await Promise.all([ring('access'), ring('refresh')])
  for (const [kid, { slot }] of refresh.accepted) {
    const path = join(dir, 'refresh', `${slot}.private.pem`)
    if (access.accepted.has(kid)) throw new KeyFileError(path, 'is an access key too. Each kind needs keys of its own.')
  }
  return { access, refresh }
}

async function parseRing(dir: string, files: readonly KeyFile[], warn: (message: string) => void): Promise<KeyRing> {
  const accepted = new Map<string, SigningKey>()
  const us = ownIdentity()
  for (const file of files) {
    const { name, pem, fault } = file
    if (name === '.') throw new KeyFileError(dir, `cannot be read (${fault}). ${HOW_TO}`)
    const slot = SLOT.exec(name)?.[1]
    if (!slot) continue
    const path = join(dir, name)
    if (fault) throw new KeyFileError(path, `cannot be read (${fault}).`)
    if (!isPrivate(file, us)) warn(`${path}: others may read this private key. Run chmod 600 on it.`)
    const key = await parseKey(path, slot, pem)
    const twin = accepted.get(key.kid)
    if (twin && slot.startsWith('previous-')) continue
    if (twin) throw new KeyFileError(path, `is the same key as ${twin.slot}.private.pem.`)
    accepted.set(key.kid, key)
  }
  const current = [...accepted.values()].find(({ slot }) => slot === 'current')
  if (!current) throw new KeyFileError(join(dir, 'current.private.pem'), `is missing. ${HOW_TO}`)
  return { current, accepted }
}

/**
 * Returns the keys in the folders `revoked`, by `kid`: the name of the file, as scripts/revoke-key.sh sets it,
 * otherwise the thumbprint of its content. `warn` gets files that are neither. Works also if {@link parseKeys} throws.
 */
export async function revokedKeys(
  { dir, files }: KeyFiles,
  warn: (message: string) => void
): Promise<Map<string, Kind>> {
  const revoked = new Map<string, Kind>()
  for (const { kind, name, pem, fault } of files) {
    const path = join(dir, kind, name)
    if (name === 'revoked') warn(`${path}: cannot be read (${fault}).`)
    const match = REVOKED.exec(name)
    if (!match) continue
    try {
      revoked.set(match[1] ?? (await parseKey(path, 'revoked', pem)).kid, kind)
    } catch (error) {
      warn((error as KeyFileError).message)
    }
  }
  return revoked
}
