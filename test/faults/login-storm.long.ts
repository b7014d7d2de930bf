import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { between } from '@latchkey/testing/between'
import t, { type Test } from 'tap'
import type { Job, Outcome } from '../../bench/paced.mjs'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { everyAnswerIsClean, oneIsInTime, percentile, recordHistory, summary, timeToRecover } from './history.ts'

const GENERATOR = fileURLToPath(new URL('../../bench/paced.mjs', import.meta.url))
/** Logins a second: thirty times of what two cores can compare. */
const RATE = 500
const SECONDS = 5
/** The promise of 50 ms for a greeting, and a margin for a machine that makes the storm as well, in milliseconds. */
const LONGEST_GREETING = 50 + 100
/** The promise of 3 s, and a margin for a client that sends so many, in milliseconds. */
const LONGEST_LOGIN = 3000 + 1000

await buildFirst()

const { auth, resource } = await startPair(t, { BCRYPT_COST: '11', RATE_LIMIT_PER_MINUTE: '0' })
const { send, operations } = recordHistory(() => auth.url)
const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }
const login = () => send('POST /login', { body: { email: ada.email, password: ada.password } })

t.test(
  '500 logins a second: each is answered in time, greetings and refreshes go on, and it ends at once',
  async (t) => {
    await send('POST /signup', { body: ada })
    const first = await timeToRecover(login)
    t.comment(`a login took ${first} ms before the storm`)
    await oneIsInTime(t, LONGEST_LOGIN, (round) => storm(t, round))
    everyAnswerIsClean(t, operations)
  }
)

async function storm(t: Test, round: number): Promise<number> {
  const { body: tokens } = await login()
  const greetings = recordHistory(() => resource.url)
  const refreshes = recordHistory(() => auth.url)
  let [over, refresh] = [false, tokens['refresh_token']]
  const bodies = Array.from({ length: RATE * SECONDS }, (_, i) =>
    JSON.stringify({ email: `nobody${round}-${i}@example.com`, password: 'a guess' })
  )
  const job = { url: auth.url, path: '/login', method: 'POST', bodies, rate: RATE, duration: SECONDS }
  const logins = generate(job).finally(() => {
    over = true
  })
  const greet = async () => {
    for (; !over; await sleep(5)) await greetings.send('GET /greet', { token: tokens['access_token'] })
  }
  const renew = async () => {
    while (!over) {
      const { body } = await refreshes.send('POST /refresh-token', { token: refresh })
      refresh = body['refresh_token'] ?? refresh
    }
  }
  const [{ statuses, errors, withoutRetryAfter, longest }] = await Promise.all([logins, greet(), renew()])
  const { 401: compared = 0, 503: refused = 0, ...others } = statuses
  t.strictSame({ others, errors, withoutRetryAfter }, { others: {}, errors: 0, withoutRetryAfter: 0 })
  t.equal(compared + refused, RATE * SECONDS, `${compared} compared, ${refused} refused`)
  for (const { operations } of [greetings, refreshes]) {
    const [half, most] = [50, 99].map((percent) => percentile(operations, percent))
    t.comment(`${operations[0]?.name}: ${summary(operations)}; half within ${half} ms, 99 % within ${most} ms`)
    t.strictSame(operations.filter(({ status }) => status !== 200).slice(0, 5), [])
  }
  between(t, percentile(greetings.operations, 99), { most: LONGEST_GREETING }, 'greetings do not notice')
  const after = await login()
  t.equal(after.status, 200, `and afterwards a login takes ${after.ms} ms`)
  everyAnswerIsClean(t, [...greetings.operations, ...refreshes.operations])
  return longest
}

// In a process of its own, which is late for nobody else.
function generate(job: Job): Promise<Outcome> {
  const generator = fork(GENERATOR, { execArgv: [] })
  generator.send(job)
  return new Promise((resolve, reject) => {
    generator.once('message', (outcome) => resolve(outcome as Outcome))
    generator.once('exit', (code) => reject(new Error(`the load generator ended with ${code} before it was done`)))
  })
}
