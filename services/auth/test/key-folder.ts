import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { openDatabase } from '@latchkey/database/pool'
import type { Test } from 'tap'
import { type LiveKeys, openLiveKeys } from '../src/keys/live-keys.ts'
import { kidOf, rsaPem } from './keys.ts'

/** Keys by single letters, made once a file. */
export async function letteredKeys<L extends string>(letters: readonly L[]): Promise<Record<L, string>> {
  const pems = await Promise.all(letters.map(async (letter) => [letter, await rsaPem()]))
  return Object.fromEntries(pems)
}

/** A key folder that a test changes; paths are relative to it, without `.private.pem`. */
export interface Folder {
  readonly dir: string
  write(slot: string, pem: string): void
  move(from: string, to: string): void
  remove(slot: string): void
}

export function keyFolder(t: Test, slots: Record<string, string>): Folder {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'latchkey-keys-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const at = (slot: string) => path.join(dir, `${slot}.private.pem`)
  const folder: Folder = {
    dir,
    write: (slot, pem) => {
      mkdirSync(path.dirname(at(slot)), { recursive: true })
      writeFileSync(at(slot), pem, { mode: 0o600 })
    },
    move: (from, to) => {
      mkdirSync(path.dirname(at(to)), { recursive: true })
      renameSync(at(from), at(to))
    },
    remove: (slot) => rmSync(at(slot))
  }
  for (const [slot, pem] of Object.entries(slots)) folder.write(slot, pem)
  return folder
}

/** What an instance has in force, in the letters of the keys: the key that signs, and those that are accepted. */
export interface Instance {
  readonly keys: LiveKeys
  readonly lines: { level: string; msg: string }[]
  /** After an update: as in `A of A B`, or `- of A B`. */
  inForce(): Promise<string>
  /** The database cannot be had from now on, or can again. */
  cutOff(away: boolean): void
}

/** Access keys live for 900 s and refresh keys for 2,000 s; KEY_LEAD is 100 s. */
export const RULES = {
  access: { publishedBefore: 100, acceptedAfter: 1000 },
  refresh: { publishedBefore: 100, acceptedAfter: 2100 }
}

/** Opens live keys as a service does; `letterOf` names a key by its PEM. */
export async function openInstance(
  t: Test,
  {
    dir,
    databaseUrl,
    away = false,
    pems
  }: { dir: string; databaseUrl: string; away?: boolean; pems: Record<string, string> }
): Promise<Instance> {
  const settings = { DATABASE_URL: databaseUrl, DATABASE_POOL_SIZE: 2, ANSWER_TIMEOUT: 10 }
  const real = openDatabase(settings, () => {})
  let isAway = away
  const unlessAway = async () => {
    if (isAway) throw new Error('away')
  }
  const database: typeof real = {
    query: (sql, values) => unlessAway().then(() => real.query(sql, values)),
    transaction: (work) => unlessAway().then(() => real.transaction(work)),
    close: real.close,
    counts: real.counts
  }
  const lines: Instance['lines'] = []
  const log = (level: string) => (_details: object, msg: string) => void lines.push({ level, msg })
  const keys = await openLiveKeys({
    dir,
    database,
    rules: RULES,
    log: { info: log('info'), warn: log('warn'), error: log('error') }
  })
  t.teardown(async () => {
    await keys.close()
    await database.close()
  })
  const letters = new Map(Object.entries(pems).map(([letter, pem]) => [kidOf(pem), letter]))
  const inForce = async () => {
    await keys.update()
    const signing = (await keys.unready()) ? '-' : letters.get(keys.access.current.kid)
    return `${signing} of ${[...keys.access.accepted.keys()]
      .map((kid) => letters.get(kid))
      .sort()
      .join(' ')}`
  }
  const cutOff = (now: boolean) => {
    isAway = now
  }
  return { keys, lines, inForce, cutOff }
}
