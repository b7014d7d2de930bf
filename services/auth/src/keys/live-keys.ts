import type { Kind } from '@latchkey/tokens/claims'
import type { Database, Queryable } from '../database.ts'
import { type Keys, parseKeys, readKeyFiles, revokedKeys } from './folder.ts'
import type { SigningKey } from './key-file.ts'
import { createRing } from './ring.ts'
import { judgeKeys, type RuleSettings, type Verdict } from './rule.ts'
import { type FoundKey, lockRegister, type Register, readRegister, recordFound, recordSigning } from './signing-keys.ts'

/** Where changes of the keys are told; a Fastify or pino logger fits. */
export interface KeyLog {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** The keys of a folder as they stand at this moment; both rings change while they are used. */
export interface LiveKeys extends Keys {
  /** Reads folder and database now; never rejects, the log is told. */
  update(): Promise<void>
  /** Resolves when the database was asked for the first time, whatever came of it. */
  readonly begun: Promise<void>
  /** Says why no key may sign, or nothing when one may; tries {@link update} first where the database was never had. */
  unready(): Promise<string | undefined>
  close(): Promise<void>
}

/** What live keys are made of. */
export interface LiveKeysParts {
  readonly dir: string
  readonly database: Database
  readonly rules: Readonly<Record<Kind, RuleSettings>>
  readonly log: KeyLog
}

/**
 * Time between two updates, in milliseconds. A revocation in one folder is in the database with the next one, and at
 * the instances over other folders with the one after: in less than 10 s.
 */
const INTERVAL = 4_000

/** The same until the database was had once, in milliseconds: so long no key is in force. */
const FIRST_INTERVAL = 250

const KINDS: readonly Kind[] = ['access', 'refresh']
type Verdicts = Readonly<Record<Kind, Verdict<SigningKey>>>

/**
 * Opens the keys of a folder and follows it: every 4 s the files are compared with those before, and the database is
 * asked for the times that all instances share.
 *
 * A folder that cannot be used, and a database that is away, leave the keys as they are; a revocation that was seen once,
 * in the folder or in the database, counts for as long as this process lives. Until the database was asked once, no key
 * is in force (503): the database may have revoked any of them.
 * Throws a KeyFileError when the folder cannot be used at the start.
 */
export async function openLiveKeys({ dir, database, rules, log }: LiveKeysParts): Promise<LiveKeys> {
  const warn = (message: string) => log.warn({ event: 'key_file' }, message)
  const rings = { access: createRing(), refresh: createRing() }
  let files = await readKeyFiles(dir)
  let revoked = await revokedKeys(files, warn)
  let folder = await parseKeys(files, warn)
  // The folder and the register that the keys in force come from; a folder that is newer waits for the database.
  let inForce: { folder: Keys; register: Register } | undefined
  let isAway = false

  async function readFolder(): Promise<void> {
    try {
      const seen = await readKeyFiles(dir, files.digest)
      if (seen.digest === files.digest) return
      files = seen
      // Once revoked is revoked for ever, also where the file cannot be read any more and the database does not know yet.
      revoked = new Map([...revoked, ...(await revokedKeys(files, warn))])
      folder = await parseKeys(files, warn)
    } catch (error) {
      log.error({ event: 'keys_refused', err: error }, 'the key folder cannot be used; the keys stay as they are')
    }
  }

  async function askDatabase(): Promise<void> {
    try {
      const read = await readRegister(database)
      // Kept, and so written again where the database has lost it in a fail-over.
      for (const { kid, kind } of read.keys.filter((key) => key.revoked)) revoked.set(kid, kind)
      const register = isUpToDate(read) ? read : await database.transaction(record)
      inForce = { folder, register }
      isAway = false
    } catch (error) {
      if (!isAway && inForce) log.warn({ err: error }, 'the database is away; the keys stay as they are')
      isAway = true
    }
  }

  function isUpToDate(register: Register): boolean {
    const known = new Map(register.keys.map((key) => [key.kid, key]))
    const isNoted = ({ kid, revoked }: FoundKey) => known.has(kid) && (!revoked || known.get(kid)?.revoked === true)
    return found().every(isNoted) && beginners(register).length === 0
  }

  async function record(connection: Queryable): Promise<Register> {
    await lockRegister(connection)
    await recordFound(connection, found())
    await recordSigning(connection, beginners(await readRegister(connection)))
    return readRegister(connection)
  }

  function found(): FoundKey[] {
    const inSlots = KINDS.flatMap((kind) => [...folder[kind].accepted.keys()].map((kid) => ({ kid, kind })))
    const withdrawn = [...revoked].map(([kid, kind]) => ({ kid, kind, revoked: true }))
    return [...inSlots.filter(({ kid }) => !revoked.has(kid)).map((key) => ({ ...key, revoked: false })), ...withdrawn]
  }

  function judge(keys: Keys, register: Register): Verdicts {
    const of = (kind: Kind) => {
      const { accepted } = keys[kind]
      const own = register.keys.filter((key) => key.kind === kind || accepted.has(key.kid))
      const times = own.map((key) =>
        // A key is of one kind for ever: moved to the other folder, it is as good as revoked.
        key.kind === kind
          ? { ...key, revoked: key.revoked || revoked.has(key.kid) }
          : { ...key, signs_from: null, revoked: true }
      )
      return judgeKeys([...accepted.values()], times, { ...rules[kind], now: register.now })
    }
    return { access: of('access'), refresh: of('refresh') }
  }

  function beginners(register: Register): string[] {
    const verdicts = judge(folder, register)
    return KINDS.flatMap((kind) => (verdicts[kind].begins ? (verdicts[kind].signing?.kid ?? []) : []))
  }

  function apply(): void {
    if (!inForce) return
    const verdicts = judge(inForce.folder, inForce.register)
    for (const kind of KINDS) {
      const change = rings[kind].set(verdicts[kind].signing, verdicts[kind].published)
      if (change) tell(kind, change, verdicts[kind])
    }
  }

  function tell(kind: Kind, change: object, verdict: Verdict<SigningKey>): void {
    const withdrawn = verdict.revoked.map(({ kid }) => kid)
    log.info({ event: 'keys_changed', kind, ...change, revoked: withdrawn }, 'the keys in force have changed')
    if (!verdict.signing) log.error({ event: 'keys_gone', kind }, 'no key is left that may sign')
  }

  async function updateOnce(): Promise<void> {
    await readFolder()
    await askDatabase()
    apply()
  }

  let running = Promise.resolve()
  let waiting: Promise<void> | undefined
  const update = () => {
    waiting ??= running.then(() => {
      waiting = undefined
      running = updateOnce()
      return running
    })
    return waiting
  }
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const follow = async () => {
    await update()
    if (!closed) timer = setTimeout(follow, inForce ? INTERVAL : FIRST_INTERVAL).unref()
  }
  const begun = follow()

  return {
    access: rings.access,
    refresh: rings.refresh,
    begun,
    update,
    unready: async () => {
      if (!inForce) await update()
      return KINDS.every((kind) => rings[kind].signs()) ? undefined : 'no key may sign yet'
    },
    close: async () => {
      closed = true
      clearTimeout(timer)
      await (waiting ?? running)
    }
  }
}
