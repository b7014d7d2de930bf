import { setTimeout as sleep } from 'node:timers/promises'
import { cores } from '../cores.mjs'
import { interleaved, paced } from '../measure.mjs'
import { accessTokens, createPeople, loginBodies, refreshTokens } from '../people.mjs'
import { below } from '../table.mjs'

/** Logins a second: far more than the hashing threads can take, whoever is refused or waits. */
const LOGINS = 500 * cores.server.length
const PEOPLE = 1000
/** Greetings a second, and refreshes a second. */
const RATE = 100
/** Milliseconds until the answer to a login. */
const LONGEST = 3000

/** What greet and refresh notice while more logins come than the hashing threads can take. */
export async function storm({ pair, rounds, seconds }) {
  const duration = 2 * seconds
  const database = await createPeople(pair, PEOPLE + 2000)
  const auth = await pair.startAuth(database)
  const resource = await pair.startResource()
  const greetings = await accessTokens(pair, 50)
  const bodies = await loginBodies(database, PEOPLE)

  /** Both at a steady rate; each refresh is another session's. */
  const others = async () => {
    const tokens = await refreshTokens(pair, database, RATE * duration)
    const steady = { rate: RATE, duration }
    const [greet, refresh] = await Promise.all([
      paced({ ...steady, url: resource.url, path: '/greet', tokens: greetings }),
      paced({ ...steady, url: auth.url, path: '/refresh-token', method: 'POST', tokens })
    ])
    return { greet, refresh }
  }
  const inStorm = async () => {
    const job = {
      url: auth.url,
      path: '/login',
      method: 'POST',
      bodies,
      rate: LOGINS,
      duration: duration + 3,
      background: true
    }
    const [logins, found] = await Promise.all([paced(job, [200, 503]), sleep(2000).then(others)])
    return { ...found, logins }
  }
  const found = await interleaved({ idle: others, storm: inStorm }, { warm: 2, rounds: Math.min(rounds, 3) })
  await Promise.all([auth.stop(), resource.stop()])
  const logins = found.storm.map((run) => run.logins)
  const sum = (/** @type {(run: import('../measure.mjs').Run) => number} */ of) =>
    logins.reduce((all, run) => all + of(run), 0)
  const refused = sum(({ statuses }) => statuses[503] ?? 0)
  const reasoned = refused - sum(({ withoutRetryAfter }) => withoutRetryAfter)
  const what = `${LOGINS} logins a second:`
  const besides = (/** @type {'greet' | 'refresh'} */ name) => ({
    what: `${what} ${name}`,
    unit: 'ms p99',
    ours: found.storm.map((run) => run[name]),
    beside: 'the same without logins',
    other: found.idle.map((run) => run[name])
  })
  return [
    { ...besides('greet'), most: 1.5 },
    { ...besides('refresh'), most: 3 },
    {
      what: `${what} longest wait for an answer`,
      unit: 'ms',
      ours: logins.map(({ longest: value }) => ({ value })),
      ...below(LONGEST)
    },
    {
      what: `${what} 503 with Retry-After`,
      unit: 'answers',
      ours: [{ value: reasoned }],
      beside: 'all 503',
      other: [{ value: refused }],
      least: 1
    }
  ]
}
