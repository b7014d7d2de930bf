import { screen } from './screen.mjs'

/**
 * Makes an AbortSignal that is aborted by the first SIGINT, SIGTERM or SIGHUP. Repeats change nothing: under npm one
 * Ctrl-C arrives twice, from the terminal and from npm.
 *
 * @returns {AbortSignal} its reason is an Error that says so
 */
export function stopSignal() {
  const stop = new AbortController()
  const begin = (/** @type {string} */ name) => {
    if (stop.signal.aborted) return
    // Says so at once, because a running npm ci needs time to undo its work.
    if (screen.rewrites) screen.print('Stopping …')
    else console.error('Stopping …')
    stop.abort(new Error(`stopped by ${name}`))
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, begin)
  // After SIGHUP there is no terminal to write to. The end still has to be done in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return stop.signal
}
