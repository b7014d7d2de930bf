// npm start: installs what is missing, builds, and runs both services with a database until it is told to stop.
import { installMissing } from './install.mjs'

const stop = new AbortController()
// Repeats change nothing: under npm one Ctrl-C arrives twice, from the terminal and from npm.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort())
// After SIGHUP the terminal is gone; the stop goes on without it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

try {
  await installMissing(stop.signal)
  // Only now: these may need what was installed.
  const { runPair } = await import('./pair.mjs')
  await runPair(stop.signal)
} catch (error) {
  if (error !== stop.signal.reason) {
    console.error(`npm start: ${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  }
}
