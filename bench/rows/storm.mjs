import { load } from '../measure.mjs'
import { logIn, loginBodies, makePeople } from '../people.mjs'

/** What greet and refresh notice while more logins come than the hashing threads can take. */
export async function storm({ pair, seconds }) {
  const auth = await pair.startAuth({ DATABASE_URL: await pair.createDatabase() })
  const resource = await pair.startResource()
  try {
    const people = await makePeople(auth.url, 128)
    const tokens = await pair.accessTokens(50)
    const greet = () =>
      load({ url: resource.url, path: '/greet', tokens, connections: 4, rate: 500, duration: 2 * seconds })
    const refresh = async () => {
      const [one, two] = await Promise.all(people.slice(0, 2).map(({ email }) => logIn(auth.url, email)))
      const own = [one.refresh_token, two.refresh_token]
      const job = { url: auth.url, path: '/refresh-token', method: 'POST', tokens: own, chain: true, connections: 2 }
      return () => load({ ...job, rate: 50, duration: 2 * seconds })
    }
    const [idleRefresh, stormRefresh] = [await refresh(), await refresh()]
    const idle = await Promise.all([greet(), idleRefresh()])
    const bodies = loginBodies(people.slice(2).map(({ email }) => email))
    const job = { url: auth.url, path: '/login', method: 'POST', bodies, connections: 126, duration: 2 * seconds }
    const [greeted, refreshed, logins] = await Promise.all([greet(), stormRefresh(), load(job, [200, 503])])
    const what = 'a login storm, 126 at once:'
    return [
      { what: `${what} greet`, unit: 'ms p99', ours: greeted.p99, beside: 'idle', other: idle[0].p99 },
      { what: `${what} refresh`, unit: 'ms p99', ours: refreshed.p99, beside: 'idle', other: idle[1].p99, most: 3 },
      {
        what: `${what} the longest login`,
        unit: 'ms',
        ours: logins.longest,
        beside: 'HASH_QUEUE_TIMEOUT',
        other: 3000
      },
      {
        what: `${what} answers 503 without Retry-After`,
        unit: `of ${logins.statuses[503] ?? 0}`,
        ours: logins.withoutRetryAfter
      }
    ]
  } finally {
    await Promise.all([auth.stop(), resource.stop()])
  }
}
