import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import type { Database } from '@latchkey/database/pool'
import { reasonOf } from '@latchkey/problems/reason'
import type { SealedRecord } from './chain.ts'
import { exportLines, isTime, jsonLineOf } from './export.ts'
import { readHeads } from './given-heads.ts'
import { readPublicKeys } from './given-keys.ts'
import { ocsfLineOf } from './ocsf.ts'
import { ownsLog } from './ownership.ts'
import { pruneAll } from './prune.ts'
import { recordOf } from './record.ts'
import { reportOf } from './report.ts'
import { verifyLog } from './verify.ts'
import { writeRecords } from './write.ts'

// The command behind `npm run audit`, for every service that has an audit log: verifies, exports and shortens it.

/** The service whose audit log it is. */
export interface AuditedService {
  /** As the lines of its log name it. */
  readonly name: string
  /** As lines of OCSF name it. */
  readonly product: string
  /** Reads the `kid` of each revoked key; missing where the service signs no heads. */
  readonly revokedKeys?: (database: Database) => Promise<ReadonlySet<string>>
  /** Connects, gives the database to `work`, and closes it. `patience` is how many seconds a statement may take. */
  readonly onDatabase: (patience: number, work: (database: Database) => Promise<void>) => Promise<void>
}

/** Where the command writes. */
interface Streams {
  readonly out: Writable
  readonly err: Writable
}

const USAGE = `usage: npm run audit -- [--service auth|chat] <command>
  verify [--head FILE|TEXT]… [--keys DIR|FILE]…   finds every change of the log; heads and keys are those kept elsewhere
  export [--from TIME] [--to TIME] [--ocsf]       writes the records as lines of JSON, or of OCSF
  prune                                           removes records that are older than AUDIT_RETENTION
--service says whose log it is: that of auth by default.`

/** What to do with the database, once all that was given is understood; true: all is well. */
type Work = (database: Database, streams: Streams) => Promise<boolean>

const COMMANDS: Readonly<Record<string, (words: readonly string[], service: AuditedService) => Promise<Work>>> = {
  verify: async (words, { name, revokedKeys }) => {
    const { head = [], keys = [] } = optionsOf(words, { head: MANY, keys: MANY })
    if (keys.length > 0 && !revokedKeys)
      throw new Error(`--keys is for nothing here: the ${name} service signs no heads. --head takes one that you kept`)
    const heads = (await Promise.all(head.map((given) => readHeads(given, name)))).flat()
    const given = new Map((await Promise.all(keys.map(readPublicKeys))).flatMap((some) => [...some]))
    return async (database, { out }) => {
      const revoked = await revokedKeys?.(database)
      const evidence = { heads, keys: given, ...(revoked && { revoked }) }
      const verified = await verifyLog(database, evidence, (fault) => say(out, fault))
      const circumstances = { owns: await ownsLog(database), given: heads.length, signs: revokedKeys !== undefined }
      for (const line of reportOf(verified, circumstances)) say(out, line)
      return verified.faults === 0
    }
  },

  export: async (words, { product }) => {
    const { from, to, ocsf } = optionsOf(words, { from: ONE, to: ONE, ocsf: { type: 'boolean' } })
    for (const [name, time] of Object.entries({ from, to })) {
      if (time !== undefined && !isTime(time)) {
        throw new Error(`--${name} ${time} is not a time: write it as in 2026-01-31T12:00:00Z`)
      }
    }
    if (from && to && Date.parse(from) >= Date.parse(to)) throw new Error(`--from ${from} is not before --to ${to}`)
    return async (database, { out, err }) => {
      let left = 0
      const ocsfLine = (record: SealedRecord) => {
        const line = ocsfLineOf(record, product)
        if (line === undefined) left += 1
        return line
      }
      // Recorded before: whoever stops the export in the middle has read it too.
      const filters = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
      await writeRecords(database, [recordOf('audit_read', { filters }, { command: 'export' })])
      const lines = exportLines(database, { from, to }, ocsf ? ocsfLine : jsonLineOf)
      await pipeline(Readable.from(lines), out, { end: false })
      const records = left === 1 ? '1 record is' : `${left} records are`
      if (left > 0) say(err, `audit: ${records} neither Authentication nor Account Change, and left out`)
      return true
    }
  },

  prune: async (words) => {
    optionsOf(words, {})
    return async (database, { out }) => {
      say(out, await pruneAll(database))
      return true
    }
  }
}

const ONE = { type: 'string' } as const
const MANY = { type: 'string', multiple: true } as const

/** Reads the options of a command. Throws with the usage. */
function optionsOf<const O extends NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>>(
  args: readonly string[],
  options: O
) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new Error(`${reasonOf(error)}\n${USAGE}`, { cause: error })
  }
}

function say(stream: Writable, line: string): void {
  stream.write(`${line}\n`)
}

/** Seconds that a statement may take. */
const PATIENCE = 30

/**
 * Runs the command in `words` on the audit log of a service. Resolves with the exit code: 1 where the log has a fault, or
 * where the command failed, which `err` gets told; otherwise 0.
 */
export async function runAuditCommand(
  words: readonly string[],
  service: AuditedService,
  streams: Streams
): Promise<0 | 1> {
  try {
    const [name = '', ...rest] = words
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (!command) throw new Error(USAGE)
    const work = await command(rest, service)
    let isWell = false
    await service.onDatabase(PATIENCE, async (database) => {
      isWell = await work(database, streams)
    })
    return isWell ? 0 : 1
  } catch (error) {
    say(streams.err, `audit: ${reasonOf(error)}`)
    return 1
  }
}

/** Ends the process well if who reads its output stops, as `head` does. */
export function endWithReader(out: NodeJS.WriteStream): void {
  out.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
  })
}
