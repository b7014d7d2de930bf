import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { BoundedMap } from '../src/bounded-map.ts'

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'] as const
const step = fc.tuple(fc.constantFrom('set', 'delete'), fc.constantFrom(...KEYS), fc.nat(9))

/** Plays the steps on a map and on two models, and says whether what the map holds is right after each. */
function holds(limit: number, steps: [string, string, number][]): boolean {
  const map = new BoundedMap<string, number>(limit)
  const latest = new Map<string, number>()
  let sure: string[] = []
  return steps.every(([what, key, value]) => {
    sure = sure.filter((other) => other !== key)
    latest.delete(key)
    if (what === 'delete') map.delete(key)
    else {
      map.set(key, value)
      latest.set(key, value)
      sure = limit === 0 ? [] : [...sure, key].slice(-limit)
    }
    const held = KEYS.filter((name) => map.get(name) !== undefined)
    // What it holds beyond the limit is what was set last of that key, and nothing that was deleted.
    const isRight = held.every((name) => map.get(name) === latest.get(name))
    return isRight && held.length <= 2 * limit && sure.every((name) => map.get(name) === latest.get(name))
  })
}

t.test('a bounded map holds what was set last, and at most twice as much, whatever was set and deleted', async (t) => {
  fc.assert(fc.property(fc.nat(4), fc.array(step, { maxLength: 60 }), holds), { numRuns: 500 })
  t.pass()
})

t.test('what was dropped is not kept alive', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const map = new BoundedMap<number, object>(1000)
  const dropped: WeakRef<object>[] = []
  for (let round = 0; round < 20; round += 1) {
    for (let key = 0; key < 500; key += 1) {
      const value = {}
      map.set(key, value)
      if (round < 10) dropped.push(new WeakRef(value))
    }
  }
  // A reference that was made in this turn holds what it refers to until the turn ends.
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  t.equal(dropped.filter((reference) => reference.deref()).length, 0)
  t.strictSame(map.get(499), {})
})
