import { type Acting, transact } from '@latchkey/audit/acting'
import type { Database } from '@latchkey/database/pool'
import { costOf } from '../passwords/foreign-hash.ts'
import { addImported, findTakenPlaces, type ImportedAccount } from '../users/imported.ts'
import { readLines } from './lines.ts'
import { readRecord } from './record.ts'

/** The result of the check of a file. */
export interface Checked {
  readonly accounts: number
  readonly refused: number
  /** The highest bcrypt cost of its hashes; 0 if it has none. */
  readonly highestCost: number
}

/** What the person at the command line is told. */
export interface Telling {
  /** Why a line is refused. */
  refused(line: number, fault: string): void
  /** How many lines are done. It is called after each thousand lines and at the end. */
  progress(done: number): void
}

/** The most lines of a batch. One statement adds its accounts. */
const BATCH = 1000

interface Entry {
  readonly line: number
  readonly account: ImportedAccount
}
type Refusal = readonly [line: number, fault: string]

/**
 * Checks every line of a file of accounts. Writes nothing.
 *
 * A line is refused if its content is not valid, or if an earlier line or an account has the same address, in any
 * letter case. Keeps the addresses in memory: a million lines took at most 430 MB.
 */
export async function checkFile(database: Database, file: string, tell: Telling): Promise<Checked> {
  const lineOf = new Map<string, number>()
  let [accounts, refused, highestCost] = [0, 0, 0]
  for await (const { entries, refusals } of readBatches(file)) {
    const fresh: Entry[] = []
    for (const entry of entries) {
      // Addresses are ASCII here, so this gives the same result as collation C in the database.
      const address = entry.account.email.toLowerCase()
      const earlier = lineOf.get(address)
      if (earlier === undefined) {
        lineOf.set(address, entry.line)
        fresh.push(entry)
      } else refusals.push([entry.line, `email is that of line ${earlier}`])
      const { passwordHash } = entry.account
      if (passwordHash !== null) highestCost = Math.max(highestCost, costOf(passwordHash))
    }
    const taken = await findTakenPlaces(
      database,
      fresh.map(({ account }) => account.email)
    )
    for (const place of taken) refusals.push([fresh[place]?.line ?? 0, 'email is that of an account'])
    for (const [line, fault] of refusals.sort(([a], [b]) => a - b)) tell.refused(line, fault)
    accounts += fresh.length - taken.length
    refused += refusals.length
    tell.progress(accounts + refused)
  }
  return { accounts, refused, highestCost }
}

/**
 * Adds the accounts of a file that {@link checkFile} has checked, in one transaction.
 *
 * Throws, and adds nothing, if the file has changed, or if somebody has signed up with one of its addresses meanwhile.
 */
export async function addAccounts(
  acting: Acting,
  file: string,
  { accounts, tell }: { accounts: number; tell: Telling }
): Promise<void> {
  await transact(acting, async (connection, note) => {
    let added = 0
    for await (const { entries, refusals } of readBatches(file)) {
      if (refusals.length > 0) throw new Error('the file was changed while it was read')
      const more = await addImported(
        connection,
        entries.map(({ account }) => account)
      )
      if (more !== entries.length) throw new Error('an address was taken meanwhile: begin again')
      added += more
      tell.progress(added)
    }
    if (added !== accounts) throw new Error('the file was changed while it was read')
    note('admin_command', { command: 'import', accounts })
  })
}

async function* readBatches(file: string): AsyncGenerator<{ entries: Entry[]; refusals: Refusal[] }> {
  let batch: { entries: Entry[]; refusals: Refusal[] } = { entries: [], refusals: [] }
  for await (const line of readLines(file)) {
    const read = readRecord(line)
    if (read?.account) batch.entries.push({ line: line.number, account: read.account })
    else if (read) batch.refusals.push([line.number, read.fault])
    if (batch.entries.length + batch.refusals.length === BATCH) {
      yield batch
      batch = { entries: [], refusals: [] }
    }
  }
  yield batch
}
