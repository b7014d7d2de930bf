import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { BoundedMap } from '../src/bounded-map.ts'

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'] as const
const step = fc.tuple(fc.constantFrom('set', 'delete'), fc.constantFrom(...KEYS), fc.nat(9))

t.test('a bounded map holds what was set last, whatever was set and deleted before', async (t) => {
  fc.assert(
    fc.property(fc.nat(4), fc.array(step, { maxLength: 60 }), (limit, steps) => {
      const map = new BoundedMap<string, number>(limit)
      let model: [string, number][] = []
      for (const [what, key, value] of steps) {
        model = model.filter(([other]) => other !== key)
        if (what === 'delete') map.delete(key)
        else {
          map.set(key, value)
          model.push([key, value])
          if (model.length > limit) model.shift()
        }
        for (const name of KEYS) if (map.get(name) !== new Map(model).get(name)) return false
      }
      return true
    }),
    { numRuns: 500 }
  )
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
  t.ok(map.get(499))
})
