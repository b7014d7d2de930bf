// Every test file loads this first. It ends a file that reaches its time limit a little before tap would: tap counts one more
// failure for each file that it ends itself, and leaves out as many files at the end of the run.
import { writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isMainThread } from 'node:worker_threads'

/** In milliseconds; tap says its own limit in seconds. */
const limit = Number(process.env['TAP_TIMEOUT'] ?? 0) * 900

if (isMainThread && limit > 0) {
  setTimeout(() => {
    const file = path.relative(process.cwd(), process.argv[1] ?? '')
    const load = `load ${Math.round(os.loadavg()[0] ?? 0)} on ${os.availableParallelism()} cores`
    writeSync(1, `\n# too slow: ${file} (over ${limit / 1000} s, ${load})\n`)
    // At this signal tap says what is still open, and ends the process.
    process.kill(process.pid, 'SIGALRM')
  }, limit).unref()
}
