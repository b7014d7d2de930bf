/** The time between two lines of progress, in milliseconds. */
const SILENCE = 5_000

/**
 * Prints what is being done, at once and then every five seconds until it is done, in plain lines.
 *
 * @template T
 * @param {string} what such as `Building`
 * @param {() => Promise<T>} work
 * @param {() => string} [state] how far it is, such as `12 of 90 packages`; by default only the time is printed
 * @returns {Promise<T>} what the work resolves with
 */
export async function withProgress(what, work, state = () => '') {
  console.log(`${what} …`)
  const start = Date.now()
  const timer = setInterval(() => {
    const seconds = `${Math.round((Date.now() - start) / 1000)} s`
    console.log(`  … ${[seconds, state()].filter(Boolean).join(', ')}`)
  }, SILENCE)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
