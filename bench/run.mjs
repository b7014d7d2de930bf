// npm run bench: every row, or those that are named. --json prints JSON instead of the table, --long takes ten minutes
// for the memory, --quick only tries whether everything runs, --logs shows what the servers log.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { stopSignal } from '../scripts/stop-signal.mjs'
import { cores, fixed, stopAll } from './cores.mjs'
import { openPair } from './pair.mjs'
import { betterAuth } from './rows/better-auth.mjs'
import { chatFanOut, chatMessages, chatSockets } from './rows/chat.mjs'
import { greetFeed } from './rows/greet-feed.mjs'
import { greetNew } from './rows/greet-new.mjs'
import { greetSeen } from './rows/greet-seen.mjs'
import { growth } from './rows/growth.mjs'
import { idle } from './rows/idle.mjs'
import { login } from './rows/login.mjs'
import { manyCores } from './rows/many-cores.mjs'
import { memory } from './rows/memory.mjs'
import { metricsCost } from './rows/metrics.mjs'
import { oidcProvider } from './rows/oidc-provider.mjs'
import { refresh } from './rows/refresh.mjs'
import { revocation } from './rows/revocation.mjs'
import { start } from './rows/start.mjs'
import { storm } from './rows/storm.mjs'
import { judged, table } from './table.mjs'

const ROWS = {
  'greet-seen': greetSeen,
  'greet-new': greetNew,
  'greet-feed': greetFeed,
  refresh,
  login,
  storm,
  growth,
  memory,
  idle,
  start,
  revocation,
  'chat-messages': chatMessages,
  'chat-fan-out': chatFanOut,
  'chat-sockets': chatSockets,
  metrics: metricsCost,
  cores: manyCores,
  'better-auth': betterAuth,
  'oidc-provider': oidcProvider
}
const OPTIONS = ['--json', '--long', '--quick', '--logs']

const words = process.argv.slice(2)
const unknown = words.filter((word) => !(word in ROWS || OPTIONS.includes(word)))
if (unknown.length > 0) {
  const known = [...Object.keys(ROWS), ...OPTIONS].join(', ')
  console.error(`npm run bench: there is no ${unknown.join(', ')}; there are ${known}.`)
  process.exit(1)
}

const signal = stopSignal()
/** @type {import('./table.mjs').Row[]} */
const rows = []
/** @type {import('./pair.mjs').Pair | undefined} */
let pair
try {
  pair = await openPair()
  await Promise.race([measure(pair), stopped()])
} catch (error) {
  console.error(`npm run bench: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  await stopAll()
  await pair?.close()
}
// What was measured before something failed is not lost.
if (words.includes('--json')) console.log(JSON.stringify({ machine: machine(), rows: rows.map(judged) }, null, 2))
else if (rows.length > 0) console.log(`${inWords(machine())}\n\n${table(rows)}`)
// A row that was cut off may still wait for something.
process.exit()

/** @param {import('./pair.mjs').Pair} pair */
async function measure(pair) {
  const long = words.includes('--long')
  const quick = words.includes('--quick')
  const wanted = Object.entries(ROWS).filter(([name]) => words.includes(name))
  for (const [name, run] of wanted.length > 0 ? wanted : Object.entries(ROWS)) {
    const begun = performance.now()
    rows.push(...(await run({ pair, rounds: quick ? 1 : 5, seconds: quick ? 1 : 4, long, quick })))
    console.error(`${name}: ${Math.round((performance.now() - begun) / 1000)} s`)
  }
}

/** @returns {Promise<never>} rejects with the signal that ends us */
function stopped() {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

function machine() {
  const lock = JSON.parse(readFileSync(new URL('package-lock.json', import.meta.url), 'utf8'))
  const names = Object.keys(lock.packages[''].dependencies)
  return {
    cpu: os.cpus()[0]?.model,
    count: os.cpus().length,
    cores: { fixed, ...cores },
    node: process.version,
    openssl: execFileSync('openssl', ['version'], { encoding: 'utf8' }).trim(),
    versions: Object.fromEntries(names.map((name) => [name, lock.packages[`node_modules/${name}`].version])),
    date: new Date().toISOString().slice(0, 10)
  }
}

/** @param {ReturnType<typeof machine>} machine */
function inWords({ cpu, count, cores, node, openssl, date }) {
  const where = cores.fixed
    ? `servers on ${cores.server.join()}, load and database on ${cores.load.join()}`
    : 'not fixed: servers, load and database share them, so expect more noise'
  return `${cpu}, ${count} cores (${where}), Node ${node}, ${openssl}, ${date}`
}
