import { load } from '../measure.mjs'
import { megabytes } from '../memory.mjs'
import { accessTokens, createPeople } from '../people.mjs'
import { below } from '../table.mjs'

const TOKENS = 10_000
const MEGABYTES = 120
/** Growth that is noise: what the garbage collector has not come to yet. */
const FLAT = 1.1

/** Memory of the resource service after 10,000 distinct tokens, and while it serves them for minutes. */
export async function memory({ pair, long, quick }) {
  const minutes = long ? 10 : quick ? 0.1 : 2
  const auth = await pair.startAuth(await createPeople(pair, 1))
  const resource = await pair.startResource()
  const job = { url: resource.url, path: '/greet', tokens: await accessTokens(pair, TOKENS), connections: 20 }
  await load({ ...job, amount: TOKENS })
  const first = { value: megabytes(resource.pid) }
  const samples = []
  const timer = setInterval(() => samples.push({ value: megabytes(resource.pid) }), 1000)
  try {
    await load({ ...job, duration: minutes * 60 })
  } finally {
    clearInterval(timer)
  }
  await Promise.all([auth.stop(), resource.stop()])
  const third = Math.floor(samples.length / 3)
  const unit = 'MB resident'
  const most = { value: Math.max(...samples.map(({ value }) => value)) }
  return [
    {
      what: 'resource service, 10,000 tokens seen',
      unit,
      ours: [first],
      ...below(MEGABYTES)
    },
    {
      what: `the most in ${minutes} min of load with them`,
      unit,
      ours: [most],
      ...below(MEGABYTES)
    },
    {
      what: `the last third of ${minutes} min of load`,
      unit,
      ours: samples.slice(-third),
      beside: 'the second third',
      other: samples.slice(third, -third),
      most: FLAT
    }
  ]
}
