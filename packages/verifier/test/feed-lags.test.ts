import t from 'tap'
import { Lags } from '../src/feed/lags.ts'

t.test('the lags of the last thousand answers have their quantiles', async (t) => {
  const lags = new Lags()
  t.equal(lags.summary(), undefined)
  lags.add(0.2)
  t.strictSame(lags.summary(), { lag: 0.2, lagP50: 0.2, lagP99: 0.2 })
  for (let n = 1; n <= 100; n += 1) lags.add(n)
  t.strictSame(lags.summary(), { lag: 100, lagP50: 50, lagP99: 99 })
  for (let n = 0; n < 999; n += 1) lags.add(7)
  t.strictSame(lags.summary(), { lag: 7, lagP50: 7, lagP99: 7 }, 'older ones are forgotten')
})
