import t from 'tap'
import { between } from '../../testing/src/between.ts'
import { SYSTEM_CLOCK } from '../src/clock.ts'

const DAYS = 86_400_000

t.test('a timer of many days does not end at once, and a cancelled one never', async (t) => {
  const ended: string[] = []
  const cancel = [
    SYSTEM_CLOCK.after(30 * DAYS, () => ended.push('30 days')),
    SYSTEM_CLOCK.after(2 ** 40, () => ended.push('35 years'))
  ]
  SYSTEM_CLOCK.after(0, () => ended.push('cancelled'))()
  // Held by a timer that keeps the process alive, as those of the clock do not.
  const alive = setTimeout(() => {}, 60_000)
  await new Promise<void>((resolve) => SYSTEM_CLOCK.after(10, resolve))
  clearTimeout(alive)
  t.same(ended, [])
  for (const stop of cancel) stop()
})

t.test('a timer that has ended, or was cancelled, is not cleared again', async (t) => {
  const { clearTimeout } = globalThis
  let cleared = 0
  globalThis.clearTimeout = (timer) => {
    cleared += 1
    clearTimeout(timer)
  }
  t.teardown(() => {
    globalThis.clearTimeout = clearTimeout
  })
  const cancel = SYSTEM_CLOCK.after(60_000, t.fail)
  cancel()
  cancel()
  t.equal(cleared, 1)
  let cancelEnded = () => {}
  await new Promise<void>((resolve) => {
    cancelEnded = SYSTEM_CLOCK.after(0, resolve, true)
  })
  cancelEnded()
  t.equal(cleared, 1)
})

t.test('the time is that of the system, and one of its clocks never steps', async (t) => {
  between(t, SYSTEM_CLOCK.now() - Date.now(), { least: -1000, most: 1000 })
  const before = SYSTEM_CLOCK.elapsed()
  between(t, SYSTEM_CLOCK.elapsed(), { least: before })
  const jitter = SYSTEM_CLOCK.random()
  between(t, jitter, { least: 0, most: 1 - Number.EPSILON / 2 })
})
