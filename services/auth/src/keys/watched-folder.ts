import { emit } from '@latchkey/events/emit'
import type { Kind } from '@latchkey/tokens/claims'
import { type KeyFiles, type Keys, parseKeys, readKeyFiles, revokedKeys } from './folder.ts'
import type { Seen } from './judgement.ts'
import type { SigningKey } from './key-file.ts'

/** The log of changes of the keys; a Fastify or pino logger fits. */
export interface KeyLog {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** The last good state of a key folder. A state that cannot be used later changes nothing. */
export class WatchedFolder {
  readonly #dir: string
  readonly #log: KeyLog
  #files: KeyFiles
  #keys: Keys
  /**
   * Revoked keys stay revoked for ever, also if the file cannot be read any more and the database does not know yet.
   */
  readonly #revoked: Map<string, Kind>
  #readAt = Date.now()
  /** Whether these files are the state; the same fault is not logged again while the folder stays as it is. */
  #isUsable = true

  private constructor(dir: string, log: KeyLog, read: { files: KeyFiles; keys: Keys; revoked: Map<string, Kind> }) {
    this.#dir = dir
    this.#log = log
    this.#files = read.files
    this.#keys = read.keys
    this.#revoked = read.revoked
  }

  /** Reads a folder. Throws a KeyFileError if it cannot be used. */
  static async open(dir: string, log: KeyLog): Promise<WatchedFolder> {
    const files = await readKeyFiles(dir)
    const warn = warnings(log)
    const revoked = await revokedKeys(files, warn)
    return new WatchedFolder(dir, log, { files, keys: await parseKeys(files, warn), revoked })
  }

  /** When the folder was last read without a fault, in milliseconds since 1970. */
  get readAt(): number {
    return this.#readAt
  }

  /** The keys that were seen so far. */
  get seen(): Seen<SigningKey> {
    const { access, refresh } = this.#keys
    return {
      slots: { access: [...access.accepted.values()], refresh: [...refresh.accepted.values()] },
      revoked: this.#revoked
    }
  }

  /** Reads the folder again if it has changed. Never rejects; errors go to the log. */
  async read(): Promise<void> {
    try {
      const files = await readKeyFiles(this.#dir, this.#files.digest)
      if (files.digest === this.#files.digest) {
        if (this.#isUsable) this.#readAt = Date.now()
        return
      }
      this.#files = files
      this.#isUsable = false
      const warn = warnings(this.#log)
      for (const [kid, kind] of await revokedKeys(files, warn)) this.noteRevoked(kid, kind)
      this.#keys = await parseKeys(files, warn)
      this.#isUsable = true
      this.#readAt = Date.now()
    } catch (error) {
      emit(this.#log, 'keys_refused', { err: error })
    }
  }

  /** Remembers a revocation from the database, so that it is written again if the database loses it in a fail-over. */
  noteRevoked(kid: string, kind: Kind): void {
    this.#revoked.set(kid, kind)
  }
}

function warnings(log: KeyLog): (message: string) => void {
  return (message) => emit(log, 'key_file', {}, message)
}
