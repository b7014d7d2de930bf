/**
 * Becomes aborted with the first signal that asks us to end. Repeats change nothing: under npm one Ctrl-C arrives
 * twice, from the terminal and from npm.
 *
 * @returns {AbortSignal} its reason is an Error that says so
 */
export function stopSignal() {
  const stop = new AbortController()
  const begin = (/** @type {string} */ name) => {
    if (stop.signal.aborted) return
    // An npm ci that is under way takes a while to undo what it did.
    console.error('Stopping …')
    stop.abort(new Error(`stopped by ${name}`))
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, begin)
  // After SIGHUP the terminal is gone; what is to be done before the end goes on without it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return stop.signal
}
