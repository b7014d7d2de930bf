import { type Acting, type Note, transact } from '@latchkey/audit/acting'
import type { Database, Queryable } from '@latchkey/database/pool'
import { emit } from '@latchkey/events/emit'
import { type Background, runInBackground } from '@latchkey/frame/background'
import type { Kind } from '@latchkey/tokens/claims'
import type { Keys } from './folder.ts'
import { beginners, foundKeys, isUpToDate, judge, KINDS, type Rules, type Seen } from './judgement.ts'
import type { SigningKey } from './key-file.ts'
import { createRing } from './ring.ts'
import type { Verdict } from './rule.ts'
import { lockRegister, type Register, readRegister, recordFound, recordSigning } from './signing-keys.ts'
import { type KeyState, statesOf } from './states.ts'
import { type KeyLog, WatchedFolder } from './watched-folder.ts'

/** The current keys of a folder; both rings change while they are used. */
export interface LiveKeys extends Keys {
  /** Reads folder and database now. Never rejects; errors go to the log. */
  update(): Promise<void>
  /** Resolves after the first attempt to ask the database. */
  readonly begun: Promise<void>
  /** Says why no key may sign, or nothing; calls {@link update} first if the database was never reached. */
  unready(): Promise<string | undefined>
  /** The keys of the folder that are in force; none until the database was reached. */
  states(): KeyState[]
  /** When the folder was last read without a fault, in milliseconds since 1970. */
  readonly readAt: number
  close(): Promise<void>
}

/** The parts of live keys. */
interface LiveKeysParts {
  readonly dir: string
  readonly database: Database
  readonly rules: Rules
  readonly log: KeyLog
  /** Must have succeeded before a key is in force; called at each update. Nothing by default. */
  readonly beforehand?: () => Promise<void>
}

/**
 * Time between two updates, in milliseconds. A revocation in one folder reaches the database with the next update, and
 * instances with other folders with the one after: in less than 10 s.
 */
const INTERVAL = 4_000

/** The same until the database was reached once, in milliseconds; no key is in force before that. */
const FIRST_INTERVAL = 250

/**
 * Opens the keys of a folder and follows it: every 4 s it compares the files and asks the database for the times that
 * all instances share.
 *
 * If the folder cannot be used or the database is away, the keys stay as they are. A revocation that was seen once, in
 * the folder or in the database, counts as long as this process lives. Until the database was reached once, no key is
 * in force (503), because the database may have revoked any of them.
 *
 * Throws a KeyFileError if the folder cannot be used at the start.
 */
export async function openLiveKeys({ dir, database, rules, log, beforehand }: LiveKeysParts): Promise<LiveKeys> {
  const folder = await WatchedFolder.open(dir, log)
  const rings = { access: createRing(), refresh: createRing() }
  // The source of the keys in force. A folder that has changed since waits for the database.
  let inForce: { slots: Seen<SigningKey>['slots']; register: Register } | undefined
  let isAway = false

  async function askDatabase(): Promise<void> {
    try {
      await beforehand?.()
      const register = await bringUpToDate({ database, log }, folder, rules)
      inForce = { slots: folder.seen.slots, register }
      isAway = false
    } catch (error) {
      if (!isAway && inForce) log.warn({ err: error }, 'the database is away; the keys stay as they are')
      isAway = true
    }
  }

  // A new revocation counts at once, also while the database is away.
  function apply(): void {
    if (!inForce) return
    const verdicts = judge({ ...folder.seen, slots: inForce.slots }, inForce.register, rules)
    for (const kind of KINDS) {
      const change = rings[kind].set(verdicts[kind].signing, verdicts[kind].published)
      if (change) tellOfChange(log, kind, change, verdicts[kind])
    }
  }

  const background: Background = runInBackground({
    run: async () => {
      await folder.read()
      await askDatabase()
      apply()
    },
    failed: (error) => emit(log, 'keys_refused', { err: error }),
    first: 0,
    pause: () => (inForce ? INTERVAL : FIRST_INTERVAL)
  })

  return {
    ...rings,
    states: () => (inForce ? statesOf({ ...folder.seen, slots: inForce.slots }, inForce.register, rules) : []),
    get readAt() {
      return folder.readAt
    },
    begun: background.runNow(),
    update: background.runNow,
    unready: async () => {
      if (!inForce) await background.runNow()
      return KINDS.every((kind) => rings[kind].signs()) ? undefined : 'no key may sign yet'
    },
    close: background.close
  }
}

// Writes only what the database lacks, one instance at a time; otherwise an update costs one statement.
async function bringUpToDate(acting: Acting, folder: WatchedFolder, rules: Rules): Promise<Register> {
  const register = await readRegister(acting.database)
  for (const { kid, kind, revoked } of register.keys) if (revoked) folder.noteRevoked(kid, kind)
  const { seen } = folder
  if (isUpToDate(seen, register, rules)) return register
  return transact(acting, (connection, note) => record(connection, note, { seen, rules }))
}

async function record(
  connection: Queryable,
  note: Note,
  { seen, rules }: { seen: Seen<SigningKey>; rules: Rules }
): Promise<Register> {
  await lockRegister(connection)
  const { added, revoked } = await recordFound(connection, foundKeys(seen))
  for (const { kind, kid } of added) note('key_added', { kind, kid })
  for (const { kind, kid } of revoked) note('key_revoked', { kind, kid })
  const signing = await recordSigning(connection, beginners(seen, await readRegister(connection), rules))
  for (const { kind, kid } of signing) note('key_signs', { kind, kid })
  return readRegister(connection)
}

function tellOfChange(
  log: KeyLog,
  kind: Kind,
  change: { signing: string | null; accepted: string[] },
  verdict: Verdict<SigningKey>
): void {
  const withdrawn = verdict.revoked.map(({ kid }) => kid)
  emit(log, 'keys_changed', { kind, ...change, revoked: withdrawn })
  if (!verdict.signing) emit(log, 'keys_gone', { kind })
}
