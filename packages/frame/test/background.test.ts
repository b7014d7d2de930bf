import { setTimeout as sleep } from 'node:timers/promises'
import { type BackgroundTask, runInBackground } from '@latchkey/frame/background'
import t from 'tap'

/** Longer than any test lasts, in milliseconds. */
const NEVER = 3_600_000

// The timer of a task keeps no process alive, and this one has nothing else.
const alive = setInterval(() => {}, NEVER)
t.teardown(() => clearInterval(alive))

/** A task whose runs the test lets end, or fail. */
function heldTask(own: Partial<BackgroundTask> = {}) {
  const runs: { end(): void; fail(error: Error): void; stopping: AbortSignal }[] = []
  const errors: unknown[] = []
  let begun = () => {}
  const task: BackgroundTask = {
    run: (stopping) =>
      new Promise((resolve, reject) => {
        runs.push({ end: resolve, fail: reject, stopping })
        begun()
      }),
    failed: (error) => errors.push(error),
    first: NEVER,
    pause: () => NEVER,
    ...own
  }
  /** Resolves with the run of this number, the first being 1. */
  const nth = async (number: number) => {
    while (runs.length < number) {
      await new Promise<void>((resolve) => {
        begun = resolve
      })
    }
    return runs[number - 1] as (typeof runs)[number]
  }
  return { task, runs, errors, nth }
}

t.test('runs follow each other by themselves', async (t) => {
  const { task, nth } = heldTask({ first: 1, pause: () => 1, jitter: 0.5 })
  const background = runInBackground(task)
  for (const number of [1, 2, 3]) (await nth(number)).end()
  const last = await nth(4)
  last.end()
  await background.close()
  t.equal(last.stopping.aborted, true)
})

t.test('one run at a time: however many ask meanwhile, one more follows', async (t) => {
  const { task, runs, nth } = heldTask()
  const background = runInBackground(task)
  const first = background.runNow()
  const run = await nth(1)
  const more = [background.runNow(), background.runNow(), background.runNow()]
  await sleep(5)
  t.equal(runs.length, 1)
  run.end()
  await first
  ;(await nth(2)).end()
  await Promise.all(more)
  t.equal(runs.length, 2)
  await background.close()
})

t.test('a run that fails is told, and the next one comes', async (t) => {
  const { task, errors, nth } = heldTask({ first: 1, pause: () => 1 })
  const background = runInBackground(task)
  const error = new Error('the database is away')
  ;(await nth(1)).fail(error)
  const next = await nth(2)
  t.strictSame(errors, [error])
  next.end()
  await background.close()
})

t.test('closing tells the run in progress, waits for it, and lets no other begin', async (t) => {
  const { task, runs, nth } = heldTask({ pause: () => 1 })
  const background = runInBackground(task)
  void background.runNow()
  const run = await nth(1)
  let isClosed = false
  const closed = background.close().then(() => {
    isClosed = true
  })
  await sleep(5)
  t.strictSame([isClosed, run.stopping.aborted], [false, true])
  run.end()
  await closed
  await background.runNow()
  await sleep(5)
  t.equal(runs.length, 1)
})
