import type { RevocationEntry } from '@latchkey/tokens/revocations'
import type { KeySource } from '../key-set.ts'
import type { FeedState } from './freshness.ts'

/** The state of a feed. */
export interface FeedStatus {
  readonly state: FeedState
  /** How old the knowledge is, in seconds; missing before the first complete answer. */
  readonly age?: number
  /** How many entries it holds; those that have ended count until they are dropped. */
  readonly entries: number
  /** The place in the feed up to which it knows; missing before the first answer. */
  readonly place?: string
  /** How many entries came since the start, with those that came again and those that were not believed. */
  readonly received: number
  /** Seconds from the issuer's clock to ours at the last answer with entries: how long they took, if both clocks are right. */
  readonly lag?: number
  /** The same of the last 1,000 such answers: half took at most so long. */
  readonly lagP50?: number
  /** All but a hundredth took at most so long. */
  readonly lagP99?: number
  /** Failed questions since the last good answer. */
  readonly failures: number
}

/** Whose feed it is. */
export interface FeedOwner {
  readonly issuer: string
  readonly audience: string
  readonly keys: KeySource
}

/** Who listens to a feed. */
export interface FeedListener {
  /** Entries have come, and are known. */
  told(entries: readonly RevocationEntry[]): void
  /** All that is known was replaced. */
  replaced(): void
  /** The state has changed. */
  changed(): void
}
