import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import type { SealedRecord } from '@latchkey/audit/chain'
import { exportLines, isTime, jsonLineOf } from '@latchkey/audit/export'
import { readHeads } from '@latchkey/audit/given-heads'
import { readPublicKeys } from '@latchkey/audit/given-keys'
import { ocsfLineOf } from '@latchkey/audit/ocsf'
import { ownsLog } from '@latchkey/audit/ownership'
import { pruneAll } from '@latchkey/audit/prune'
import { recordOf } from '@latchkey/audit/record'
import { reportOf } from '@latchkey/audit/report'
import { verifyLog } from '@latchkey/audit/verify'
import { writeRecords } from '@latchkey/audit/write'
import type { Database } from '@latchkey/database/pool'
import { reasonOf } from '@latchkey/problems/reason'
import { onDatabase } from './command-line.ts'
import { readRegister } from './keys/signing-keys.ts'

// The command behind `npm run audit`: verifies, exports and shortens the audit log.

const USAGE = `usage: npm run audit -- <command>
  verify [--head FILE|TEXT]… [--keys DIR|FILE]…   finds every change of the log; heads and keys are those kept elsewhere
  export [--from TIME] [--to TIME] [--ocsf]       writes the records as lines of JSON, or of OCSF
  prune                                           removes records that are older than AUDIT_RETENTION`

/** What to do with the database, once all that was given is understood. */
type Work = (database: Database) => Promise<void>

const COMMANDS: Readonly<Record<string, (words: readonly string[]) => Promise<Work>>> = {
  verify: async (words) => {
    const { head = [], keys = [] } = optionsOf(words, { head: MANY, keys: MANY })
    const heads = (await Promise.all(head.map(readHeads))).flat()
    const given = new Map((await Promise.all(keys.map(readPublicKeys))).flatMap((some) => [...some]))
    return async (database) => {
      const revoked = new Set((await readRegister(database)).keys.flatMap((key) => (key.revoked ? key.kid : [])))
      const verified = await verifyLog(database, { heads, keys: given, revoked }, (fault) => {
        process.exitCode = 1
        console.log(fault)
      })
      const report = reportOf(verified, { owns: await ownsLog(database), given: heads.length })
      for (const line of report) console.log(line)
    }
  },

  export: async (words) => {
    const { from, to, ocsf } = optionsOf(words, { from: ONE, to: ONE, ocsf: { type: 'boolean' } })
    for (const [name, time] of Object.entries({ from, to })) {
      if (time !== undefined && !isTime(time)) {
        throw new Error(`--${name} ${time} is not a time: write it as in 2026-01-31T12:00:00Z`)
      }
    }
    if (from && to && Date.parse(from) >= Date.parse(to)) throw new Error(`--from ${from} is not before --to ${to}`)
    return async (database) => {
      let left = 0
      const ocsfLine = (record: SealedRecord) => {
        const line = ocsfLineOf(record, 'Latchkey auth service')
        if (line === undefined) left += 1
        return line
      }
      // Recorded before: whoever stops the export in the middle has read it too.
      const filters = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
      await writeRecords(database, [recordOf('audit_read', { filters }, { command: 'export' })])
      await write(exportLines(database, { from, to }, ocsf ? ocsfLine : jsonLineOf))
      if (left === 0) return
      const records = left === 1 ? '1 record is' : `${left} records are`
      console.error(`audit: ${records} neither Authentication nor Account Change, and left out`)
    }
  },

  prune: async (words) => {
    optionsOf(words, {})
    return async (database) => console.log(await pruneAll(database))
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

async function write(lines: AsyncIterable<string>): Promise<void> {
  await pipeline(Readable.from(lines), process.stdout, { end: false })
}

/** Seconds that a statement may take. */
const PATIENCE = 30

// Who reads the output may stop, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
})

try {
  const [name = '', ...words] = process.argv.slice(2)
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) throw new Error(USAGE)
  await onDatabase(process.env, PATIENCE, await command(words))
} catch (error) {
  console.error(`audit: ${reasonOf(error)}`)
  process.exitCode = 1
}
