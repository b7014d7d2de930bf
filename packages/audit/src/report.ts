import { OWNS_LOG } from './ownership.ts'
import type { Verified } from './verify.ts'

/** How the log was looked at. */
interface Circumstances {
  /** Whether the connected user may change the log. */
  readonly owns: boolean
  /** How many heads were given. */
  readonly given: number
  /** Whether the service has a key to sign heads with. */
  readonly signs: boolean
}

const number = (n: number) => n.toLocaleString('en')
const some = (n: number, one: string, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`

/** Says what was verified, with its counts, in sentences for people; the last one is the result. */
export function reportOf(verified: Verified, { owns, given, signs }: Circumstances): string[] {
  const { records, begin, end, faults } = verified
  const which = records === 0 ? '' : `, ${begin + 1} to ${end},`
  const removed = begin === 0 ? '' : ` Older ones, up to ${begin}, were removed: what is left begins at that head.`
  return [
    `${some(records, 'record')}${which} ${records === 1 ? 'was' : 'were'} verified.${removed}`,
    ...unsealedOf(verified),
    ...erasuresOf(verified),
    ...headsOf(verified, given, signs),
    ...(owns ? [`Note: ${OWNS_LOG}.`] : []),
    faults === 0 ? 'The log is whole.' : `The log is NOT whole: ${some(faults, 'fault was', 'faults were')} found.`
  ]
}

function unsealedOf({ unsealed: { count, oldest } }: Verified): string[] {
  if (count === 0) return []
  const since = oldest && Number.isFinite(oldest.getTime()) ? ` The oldest is of ${oldest.toISOString()}.` : ''
  return [`${some(count, 'record waits', 'records wait')} to be sealed, and cannot be verified yet.${since}`]
}

function erasuresOf({ erasures: { erased, maybe } }: Verified): string[] {
  const unsure = maybe === 0 ? '' : ` Of ${number(maybe)} the record of the deletion was removed as too old.`
  return erased + maybe === 0 ? [] : [`Personal data were erased from ${some(erased + maybe, 'record')}.${unsure}`]
}

function headsOf({ heads }: Verified, given: number, signs: boolean): string[] {
  const { kept, tooOld, vouched, unvouched, revoked, unsigned } = heads
  const stored = vouched + unvouched + revoked + unsigned
  const kinds = [
    vouched > 0 && `${number(vouched)} signed by a key that was given`,
    unvouched > 0 && `${number(unvouched)} signed, but not vouched for: their keys are known from the database alone`,
    revoked > 0 && `${number(revoked)} signed by a revoked key, which proves nothing without a kept copy (--head)`,
    unsigned > 0 && `${number(unsigned)} unsigned${signs ? '' : ', because the service has no key to sign with'}`
  ].filter((kind) => kind !== false)
  const lines = stored === 0 ? [] : [`${some(stored, 'stored head fits', 'stored heads fit')}: ${kinds.join('; ')}.`]
  if (given > 0) {
    const old = tooOld === 0 ? '' : ` ${some(tooOld, 'is', 'are')} of records that were removed as too old.`
    lines.push(
      `${number(kept)} of ${some(given, 'head')} that ${given === 1 ? 'was' : 'were'} given ${kept === 1 ? 'fits' : 'fit'}.${old}`
    )
  } else if (vouched === 0) {
    lines.push(
      'No head from elsewhere was given: whoever owns the database could have computed the whole chain anew. --head takes one.'
    )
  }
  return lines
}
