import type { LoggedRecord } from './record.ts'

/**
 * How long a SET is offered to its receiver, in seconds: a week after what it tells of. No shorter AUDIT_RETENTION is
 * allowed.
 */
export const LONGEST_OFFER = 7 * 86_400

/** Seconds since what a record tells of. `now` is in milliseconds since 1970. */
export function ageOf({ at }: Pick<LoggedRecord, 'at'>, now: number): number {
  return Math.max(0, (now - Date.parse(at)) / 1000)
}
