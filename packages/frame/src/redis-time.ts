/** Longest wait for an answer of Redis, in milliseconds: nothing waits longer for what is only shared. */
export const REDIS_TIMEOUT = 500

/** Longest pause between two attempts to connect, and between two looks whether Redis answers, in milliseconds. */
export const REDIS_PAUSE = 2000

/** Rejects if an answer takes longer. One that has come in counts, even if this process was too busy to read it. */
export async function inTime<T>(answer: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => setImmediate(reject, new Error('Redis did not answer in time')), milliseconds)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
