import type { KeyRing } from '../keys/folder.ts'
import { signSet, type UnsignedSet } from './set.ts'

/** Most texts that are kept, about 1 kB each: a hundred of each stream, which is what a poll gets again. */
const MOST_TEXTS = 3200

/** Signs SETs; throws `unavailable` while no key may sign. */
export type SignSets = (sets: readonly UnsignedSet[]) => Promise<Record<string, string>>

/**
 * Makes the signer of the SETs that receivers poll, by their ids. It keeps what it signed: a receiver that never acknowledges gets the
 * same texts again, and costs no signature a poll. A text counts while its key signs.
 */
export function createSetSigner(access: KeyRing, sign = signSet): SignSets {
  const texts = new Map<string, Promise<string>>()
  const textOf = (set: UnsignedSet) => {
    const name = `${access.current.kid} ${set.jti}`
    const kept = texts.get(name)
    if (kept) return kept
    const [oldest] = texts.size < MOST_TEXTS ? [] : texts.keys()
    if (oldest !== undefined) texts.delete(oldest)
    const text = sign(set, access)
    texts.set(name, text)
    text.catch(() => texts.delete(name))
    return text
  }
  return async (sets) => Object.fromEntries(await Promise.all(sets.map(async (set) => [set.jti, await textOf(set)])))
}
