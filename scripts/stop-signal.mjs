/**
 * Becomes aborted with the first signal that asks us to end. Repeats change nothing: under npm one Ctrl-C arrives
 * twice, from the terminal and from npm.
 *
 * @returns {AbortSignal} its reason is an Error that says so
 */
export function stopSignal() {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(name, () => stop.abort(new Error(`stopped by ${name}`)))
  // After SIGHUP the terminal is gone; what is to be done before the end goes on without it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return stop.signal
}
