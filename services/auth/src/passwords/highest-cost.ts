/** How long a highest cost is used before it is read again, in milliseconds. */
const BELIEVED = 60_000

/**
 * Follows the highest cost of a stored hash, but at least the configured one, so that an unknown address costs as much
 * as a known one after BCRYPT_COST was lowered.
 *
 * It is read at the first use, and later in the background of a login, at most once a minute. If a later reading fails,
 * the old value stays. Throws the error of the first reading.
 */
export function followHighestCost(
  read: () => Promise<number | undefined>,
  { configured, now }: { configured: number; now: () => number }
): () => Promise<number> {
  let known: number | undefined
  let readAt = 0
  let reading: Promise<number> | undefined

  async function find(): Promise<number> {
    readAt = now()
    try {
      known = Math.max(configured, (await read()) ?? configured)
      return known
    } finally {
      reading = undefined
    }
  }

  return async () => {
    if (known !== undefined && now() - readAt < BELIEVED) return known
    reading ??= find()
    if (known === undefined) return reading
    reading.catch(() => {})
    return known
  }
}
