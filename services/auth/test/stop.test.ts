import fastify from 'fastify'
import t from 'tap'
import { stopInOrder } from '../src/stop.ts'

/** A service whose last work is given, with what it logs. */
function stopping(lastWork: () => Promise<void>, lastMoment: number) {
  const lines: object[] = []
  const log = { info: (line: object) => lines.push(line), warn: (line: object) => lines.push(line) }
  const app = fastify()
  stopInOrder({
    app: app as never,
    log: { ...log, error: log.warn } as never,
    senders: [{ close: async () => {} }],
    refusals: { unwritten: 3 },
    lastWork,
    lastMoment
  })
  return { app, lines }
}

t.test('work that ends is awaited, and nothing is said', async (t) => {
  let isDone = false
  const { app, lines } = stopping(async () => {
    await new Promise(setImmediate)
    isDone = true
  }, 60_000)
  await app.close()
  t.ok(isDone)
  t.strictSame(lines, [])
})

t.test('after slow requests the last work still has its time', async (t) => {
  const { app, lines } = stopping(() => new Promise(setImmediate), 0)
  await app.close()
  t.strictSame(lines, [])
})

t.test('work that never ends is given up, and what is lost is said', async (t) => {
  const { app, lines } = stopping(() => new Promise(() => {}), 1)
  // The timers of the service keep no process alive.
  const holding = setInterval(() => {}, 1000)
  await app.close()
  clearInterval(holding)
  t.match(lines, [{ event: 'audit_failed', waiting: 0, lost: 3, err: { message: /the database was silent/ } }])
})
