import { SYSTEM_CLOCK } from '@latchkey/verifier/clock'
import t from 'tap'

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

t.test('the time is that of the system, and one of its clocks never steps', async (t) => {
  t.equal(Math.abs(SYSTEM_CLOCK.now() - Date.now()) < 1000, true)
  const before = SYSTEM_CLOCK.elapsed()
  t.equal(SYSTEM_CLOCK.elapsed() >= before, true)
  const jitter = SYSTEM_CLOCK.random()
  t.equal(jitter >= 0 && jitter < 1, true)
})
