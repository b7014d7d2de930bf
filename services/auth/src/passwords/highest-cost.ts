/** How long a highest cost that was read is believed, in milliseconds. */
const BELIEVED = 60_000

/**
 * Follows the highest cost of a stored hash, but never less than the configured one, so that an unknown address costs as
 * much as a known one also after BCRYPT_COST was lowered.
 *
 * It is read when it is first needed, and then again behind a login, at most once a minute; what cannot be read again stays.
 * Throws what the first reading throws.
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
