import { emit } from '@latchkey/events/emit'
import type { Kind } from '@latchkey/tokens/claims'
import { type KeyFiles, type Keys, parseKeys, readKeyFiles, revokedKeys } from './folder.ts'
import type { Seen } from './judgement.ts'
import type { SigningKey } from './key-file.ts'

/** Where changes of the keys are told; a Fastify or pino logger fits. */
export interface KeyLog {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** A key folder as it was last read. What cannot be used later leaves it as it is. */
export class WatchedFolder {
  readonly #dir: string
  readonly #log: KeyLog
  #files: KeyFiles
  #keys: Keys
  /** Once revoked is revoked for ever, also where the file cannot be read any more and the database does not know yet. */
  readonly #revoked: Map<string, Kind>

  private constructor(dir: string, log: KeyLog, read: { files: KeyFiles; keys: Keys; revoked: Map<string, Kind> }) {
    this.#dir = dir
    this.#log = log
    this.#files = read.files
    this.#keys = read.keys
    this.#revoked = read.revoked
  }

  /** Reads a folder. Throws a KeyFileError when it cannot be used. */
  static async open(dir: string, log: KeyLog): Promise<WatchedFolder> {
    const files = await readKeyFiles(dir)
    const warn = warnings(log)
    const revoked = await revokedKeys(files, warn)
    return new WatchedFolder(dir, log, { files, keys: await parseKeys(files, warn), revoked })
  }

  /** What was seen so far. */
  get seen(): Seen<SigningKey> {
    const { access, refresh } = this.#keys
    return {
      slots: { access: [...access.accepted.values()], refresh: [...refresh.accepted.values()] },
      revoked: this.#revoked
    }
  }

  /** Reads the folder again where it has changed. Never rejects: the log is told. */
  async read(): Promise<void> {
    try {
      const files = await readKeyFiles(this.#dir, this.#files.digest)
      if (files.digest === this.#files.digest) return
      this.#files = files
      const warn = warnings(this.#log)
      for (const [kid, kind] of await revokedKeys(files, warn)) this.noteRevoked(kid, kind)
      this.#keys = await parseKeys(files, warn)
    } catch (error) {
      emit(this.#log, 'keys_refused', { err: error })
    }
  }

  /** Keeps a revocation that the database told of, so that it is written again where the database has lost it in a fail-over. */
  noteRevoked(kid: string, kind: Kind): void {
    this.#revoked.set(kid, kind)
  }
}

function warnings(log: KeyLog): (message: string) => void {
  return (message) => emit(log, 'key_file', {}, message)
}
