import type { Database } from '@latchkey/database/pool'
import { costOf } from '../passwords/foreign-hash.ts'
import { addImported, findTakenPlaces, type ImportedAccount } from '../users/imported.ts'
import { readLines } from './lines.ts'
import { readRecord } from './record.ts'

/** What became of a file that was checked. */
export interface Checked {
  readonly accounts: number
  readonly refused: number
  /** The highest bcrypt cost of its hashes; 0 without any. */
  readonly highestCost: number
}

/** What the reader of a file is told, one line each. */
export interface Telling {
  /** Why a line is refused. */
  refused(line: number, fault: string): void
  /** How far the work is: it is called after each thousand lines and at the end. */
  progress(done: number): void
}

/** Accounts a statement. */
const BATCH = 1000

interface Entry {
  readonly line: number
  readonly account: ImportedAccount
}
type Refusal = readonly [line: number, fault: string]

/**
 * Checks every line of a file of accounts. Writes nothing.
 *
 * A line is refused for what it says, for the address of an earlier line in any letter case, and for the address of an
 * account. Keeps the addresses in memory: a million lines took 430 MB at most.
 */
export async function checkFile(database: Database, file: string, tell: Telling): Promise<Checked> {
  const lineOf = new Map<string, number>()
  let [accounts, refused, highestCost] = [0, 0, 0]
  for await (const { entries, refusals } of readBatches(file)) {
    const fresh: Entry[] = []
    for (const entry of entries) {
      // Addresses are ASCII here, so this is what collation C does in the database.
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
 * Throws and adds nothing if the file is another one now, or somebody has signed up with one of its addresses meanwhile.
 */
export async function addAccounts(
  database: Database,
  file: string,
  { accounts, tell }: { accounts: number; tell: Telling }
): Promise<void> {
  await database.transaction(async (connection) => {
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
