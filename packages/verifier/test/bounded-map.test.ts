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
