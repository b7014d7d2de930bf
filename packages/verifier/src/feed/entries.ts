import { isCount } from '@latchkey/tokens/claims'
import { REVOCATION_KINDS, type RevocationEntry, type RevocationKind } from '@latchkey/tokens/revocations'
import { YEAR } from '../options.ts'
import type { Words } from './hash-table.ts'

/** Canonical base64url of 16 bytes: the unused bits of the last character are zero. */
const HASH = /^[A-Za-z0-9_-]{21}[AQgw]$/
const KID = /^[A-Za-z0-9_-]{1,128}$/

const isHash = (value: unknown) => typeof value === 'string' && HASH.test(value)
const isTime = (value: unknown) => isCount(value) && value <= YEAR

const FORMS: Readonly<Record<RevocationKind, (key: unknown, number: unknown, seconds: unknown) => boolean>> = {
  subject: (key, number, seconds) => isHash(key) && isCount(number) && isTime(seconds),
  session: (key, number, seconds) => isHash(key) && number === null && isTime(seconds),
  key: (key, number, seconds) => typeof key === 'string' && KID.test(key) && number === null && seconds === null,
  all: (key, number, seconds) => key === null && isCount(number) && isTime(seconds)
}

/**
 * Reads the entries of an answer, all or none: throws if one is malformed. Entries of kinds that it does not know are left
 * out; their kinds come back beside, because a later auth service may have more.
 */
export function readEntries(value: unknown): { entries: RevocationEntry[]; unknown: Set<string> } {
  if (!Array.isArray(value)) throw new Error('its entries are no list')
  const entries: RevocationEntry[] = []
  const unknown = new Set<string>()
  for (const entry of value) {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string')
      throw new Error('an entry is no list that begins with a kind')
    const [kind, key, number, seconds] = entry
    if (!isKind(kind)) unknown.add(kind)
    else if (entry.length === 4 && FORMS[kind](key, number, seconds)) entries.push(entry as unknown as RevocationEntry)
    else throw new Error(`an entry of the kind ${kind} is malformed`)
  }
  return { entries, unknown }
}

function isKind(kind: string): kind is RevocationKind {
  return (REVOCATION_KINDS as readonly string[]).includes(kind)
}

const scratch = Buffer.alloc(16)

/** The words of a hash as it stands in an entry. */
export function wordsOfKey(key: string): Words {
  scratch.write(key, 'base64url')
  return wordsAt(scratch, 0)
}

/** The words of a hash of which the bytes stand here. */
export function wordsAt(bytes: Buffer, at: number): Words {
  return [bytes.readInt32LE(at), bytes.readInt32LE(at + 4), bytes.readInt32LE(at + 8), bytes.readInt32LE(at + 12)]
}
