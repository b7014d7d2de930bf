/** How long a highest cost is used before it is read again, in milliseconds. */
const BELIEVED = 60_000

/** The highest cost of a stored hash, or the configured one, if that is higher. */
export interface HighestCost {
  /** Finds it. Rejects with the error of the first reading. */
  find(): Promise<number>
  /** What is known of it without asking the database; the configured one at first. */
  known(): number
}

/**
 * Follows the highest cost of a stored hash, but at least the configured one, so that an unknown address costs as much
 * as a known one after BCRYPT_COST was lowered.
 *
 * It is read at the first use, and later in the background of a login, at most once a minute. If a later reading fails,
 * the old value stays.
 */
export function followHighestCost(
  read: () => Promise<number | undefined>,
  { configured, now }: { configured: number; now: () => number }
): HighestCost {
  let known: number | undefined
  let readAt = 0
  let reading: Promise<number> | undefined

  async function readAgain(): Promise<number> {
    readAt = now()
    try {
      known = Math.max(configured, (await read()) ?? configured)
      return known
    } finally {
      reading = undefined
    }
  }

  return {
    find: async () => {
      if (known !== undefined && now() - readAt < BELIEVED) return known
      reading ??= readAgain()
      if (known === undefined) return reading
      reading.catch(() => {})
      return known
    },
    known: () => known ?? configured
  }
}
