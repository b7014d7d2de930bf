import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { printable } from '../../testing/src/problem.ts'

// Gives a program a terminal of its own.
const SCRIPT = '/usr/bin/script'
const skip = !existsSync(SCRIPT) && 'no terminal to be had here'

t.test('on a terminal the readable log shows nothing that the terminal obeys', { skip }, async (t) => {
  const evil = 'a\x1b[2J\nforged\r\x9b31m\x85\u202e\u2028eyJhbGciOi.e30.x'
  const program = `
    import { createLogger } from '${new URL('../dist/logger.js', import.meta.url)}'
    const log = await createLogger('auth', { NODE_ENV: 'development', LOG_LEVEL: 'info' })
    const evil = ${JSON.stringify(evil)}
    log.warn({ evil, list: [evil], err: new Error(evil, { cause: new TypeError(evil) }) }, evil)`
  const file = join(t.testdir({ 'program.mjs': program }), 'program.mjs')
  // Its own colours would look like those of a client.
  const env = { PATH: process.env.PATH, NO_COLOR: '1' }
  const command = `"${process.execPath}" "${file}"`
  const { stdout } = await promisify(execFile)(SCRIPT, ['-qec', command, '/dev/null'], { env })
  const shown = 'a\\u001b[2J\\u000aforged\\u000d\\u009b31m\\u0085\\u202e\\u2028[token]'
  t.match(stdout, `auth     WARN ${shown}`, 'it is the readable form')
  t.match(stdout, /^ +caused by TypeError: a\\u001b/m)
  const harmful = stdout.match(/[^\P{Cc}\r\n]|[\p{Cf}\p{Zl}\p{Zp}]|eyJ|^forged/gmu) ?? []
  t.strictSame(harmful.map(printable), [])
})
