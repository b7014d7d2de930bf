import { lengthOf } from './settings.ts'

/** Two durations of which the first is best not longer than the second; `because` says what would follow. */
type Order<N extends string> = readonly [shorter: N, longer: N, because: string]

/**
 * Says of each pair of durations that contradict each other what follows and what to do, with both values, because one may
 * be a default. These are warnings: a test of expiry wants just such a pair. In seconds, as a duration is read.
 */
export function contradictions<N extends string>(
  config: Readonly<Record<N, number>>,
  orders: readonly Order<N>[]
): string[] {
  return orders
    .filter(([shorter, longer]) => config[shorter] > config[longer])
    .map(
      ([shorter, longer, because]) =>
        `${shorter} (${lengthOf(config[shorter])}) is longer than ${longer} (${lengthOf(config[longer])}): ${because}. Set ${shorter} lower, or ${longer} higher.`
    )
}
