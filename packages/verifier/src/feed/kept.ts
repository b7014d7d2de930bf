import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isCount } from '@latchkey/tokens/claims'
import { REVOCATION_KINDS, REVOCATION_PLACE } from '@latchkey/tokens/revocations'
import { writeAtomically } from '../atomic-file.ts'
import { YEAR } from '../options.ts'
import { wordsAt } from './entries.ts'
import { Knowledge } from './knowledge.ts'

/** The first line of the file, in JSON. The entries follow: {@link RECORD} bytes each. */
interface Head {
  readonly url: string
  readonly issuer: string
  readonly place: string
  /** The kinds of entries that were understood; others were left out. */
  readonly kinds: readonly string[]
  readonly signers: readonly string[]
  /** Each revoked key, with the keys that said so. */
  readonly keys: readonly (readonly [kid: string, signers: readonly string[]])[]
  readonly all: { readonly time: number; readonly seconds: number }
  /** SHA-256 of the entries. */
  readonly sha256: string
}

/** Of whom a file is believed. */
export type KeptFrom = Pick<Head, 'url' | 'issuer'>

/** Key, number, and the seconds left. */
const RECORD = 16 + 8 + 4
/** The first line has a place, an issuer and some keys. */
const LONGEST_HEAD = 4 * 1024 * 1024
/** Segments that are written in one turn of the event loop. */
const IN_ONE_TURN = 8

/**
 * Keeps what a receiver knows for the next start. Each entry has the seconds that it is still needed. They count again from the
 * next start, so that a wrong wall clock drops none. Lets other work run meanwhile.
 */
export async function writeKept(path: string, { url, issuer }: KeptFrom, known: Knowledge, now: number): Promise<void> {
  const { place, signers, keys, all } = known
  const head = {
    url,
    issuer,
    place: String(place),
    kinds: REVOCATION_KINDS,
    signers: [...signers],
    keys: [...keys].map(([kid, told]) => [kid, [...told]] as const),
    all: { time: all.time, seconds: Math.max(0, all.end - now) }
  }
  const hash = createHash('sha256')
  const parts: Buffer[] = []
  for (const each of known.table.segments()) {
    const records: Buffer[] = []
    each((words, number, end) => end >= now && records.push(record(words, number, end - now)))
    const part = Buffer.concat(records)
    hash.update(part)
    if (parts.push(part) % IN_ONE_TURN === 0) await nextTurn()
  }
  const first = `${JSON.stringify({ ...head, sha256: hash.digest('hex') } satisfies Head)}\n`
  await writeAtomically(path, [Buffer.from(first), ...parts])
}

function record(words: readonly number[], number: number, seconds: number): Buffer {
  const bytes = Buffer.allocUnsafe(RECORD)
  for (const [index, word] of words.entries()) bytes.writeInt32LE(word, index * 4)
  bytes.writeDoubleLE(number, 16)
  bytes.writeUInt32LE(seconds, 24)
  return bytes
}

/**
 * Reads what was kept. It has no place if an older version wrote it that knew fewer kinds of entries: then all is asked again,
 * and added. Returns nothing if there is no file; throws if it is not whole, not of this feed and issuer, or larger than
 * `most` entries need. It reads in one go: nothing may be accepted before.
 */
export function readKept(path: string, from: KeptFrom, now: number, most: number): Knowledge | undefined {
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file) return undefined
  if (!file.isFile()) throw new Error('it is no file')
  if (file.size > LONGEST_HEAD + most * RECORD) throw new Error('it is larger than maxEntries allows')
  const bytes = readFileSync(path)
  const end = bytes.indexOf('\n')
  const head = readHead(bytes.subarray(0, Math.max(0, end)).toString())
  if (head.url !== from.url || head.issuer !== from.issuer) throw new Error('it is of another feed')
  const entries = bytes.subarray(end + 1)
  if (createHash('sha256').update(entries).digest('hex') !== head.sha256) throw new Error('it is not whole')
  return knowledgeOf(head, entries, now)
}

function readHead(text: string): Head {
  const { place, kinds = [], signers, keys, all, ...rest }: Head = JSON.parse(text)
  const areKeys =
    isTexts(kinds) &&
    isTexts(signers) &&
    Array.isArray(keys) &&
    keys.every(([kid, told]) => isTexts([kid]) && isTexts(told))
  const isAll = isCount(all.time) && isCount(all.seconds) && all.seconds <= YEAR
  if (!REVOCATION_PLACE.test(place) || !areKeys || !isAll) throw new Error('it is not whole')
  return { ...rest, place, kinds, signers, keys, all }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function knowledgeOf({ place, kinds, signers, keys, all }: Head, entries: Buffer, now: number): Knowledge {
  const known = new Knowledge()
  if (REVOCATION_KINDS.every((kind) => kinds.includes(kind))) known.place = place
  for (const signer of signers) known.signers.add(signer)
  for (const [kid, told] of keys) for (const signer of told) known.addKey(kid, signer)
  known.all = { time: all.time, end: now + all.seconds }
  for (let at = 0; at + RECORD <= entries.length; at += RECORD) {
    known.table.set(wordsAt(entries, at), entries.readDoubleLE(at + 16), now + entries.readUInt32LE(at + 24))
  }
  return known
}
