// npm run bench: every row, or those that are named; --json prints JSON alone, --long takes ten minutes for the memory.
import { execFileSync } from 'node:child_process'
import os from 'node:os'
import { cores } from './cores.mjs'
import { openPair } from './pair.mjs'
import { greetNew } from './rows/greet-new.mjs'
import { greetSeen } from './rows/greet-seen.mjs'
import { growth } from './rows/growth.mjs'
import { login } from './rows/login.mjs'
import { memory } from './rows/memory.mjs'
import { refresh } from './rows/refresh.mjs'
import { start } from './rows/start.mjs'
import { storm } from './rows/storm.mjs'
import { holds, ratioOf, table } from './table.mjs'

const ROWS = {
  'greet-seen': greetSeen,
  'greet-new': greetNew,
  refresh,
  login,
  storm,
  growth,
  memory,
  start
}

const options = process.argv.slice(2).filter((word) => word.startsWith('--'))
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const unknown = [...wanted.filter((name) => !(name in ROWS)), ...options.filter((o) => !/^--(json|long)$/.test(o))]
if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}; there are ${Object.keys(ROWS).join(', ')}, --json, --long`)
  process.exit(1)
}

const json = options.includes('--json')
const pair = await openPair()
/** @type {import('./table.mjs').Row[]} */
const rows = []
try {
  for (const [name, run] of Object.entries(ROWS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    console.error(`${name} …`)
    rows.push(...(await run({ pair, rounds: 5, seconds: 4, long: options.includes('--long') })))
  }
} finally {
  await pair.close()
}

const machine = {
  cpu: os.cpus()[0]?.model,
  cores: os.cpus().length,
  server: cores.server,
  load: cores.load,
  node: process.version,
  openssl: execFileSync('openssl', ['version'], { encoding: 'utf8' }).trim(),
  date: new Date().toISOString().slice(0, 10)
}
if (json) {
  const measured = rows.map((row) => ({ ...row, ratio: ratioOf(row), reached: holds(row) }))
  console.log(JSON.stringify({ machine, rows: measured }, null, 2))
} else {
  const where = cores.server
    ? `server on core ${cores.server}, load and database on core ${cores.load}`
    : 'cores not fixed'
  console.log(
    `${machine.cpu}, ${machine.cores} cores (${where}), Node ${machine.node}, ${machine.openssl}, ${machine.date}\n`
  )
  console.log(table(rows))
}
