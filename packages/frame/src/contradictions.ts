import { lengthOf } from './settings.ts'

/** Two durations: the first should not be longer than the second. `because` says what happens otherwise. */
type Order<N extends string> = readonly [shorter: N, longer: N, because: string]

/**
 * Returns a warning for each pair of durations that contradict each other: both values, because one may be a default,
 * the consequence, and what to do. Durations are in seconds. It refuses nothing, because a test of expiry may need such
 * a pair.
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
