import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { everyAnswerIsClean, percentile, recordHistory, summary, timeToRecover } from './history.ts'

const STORM = fileURLToPath(new URL('storm.mjs', import.meta.url))
/** Logins a second: thirty times of what two cores can compare. */
const RATE = 500
const SECONDS = 5
/** The promise of 50 ms for a greeting, and a margin for a machine that makes the storm as well, in milliseconds. */
const LONGEST_GREETING = 50 + 100
/** The promise of 3 s, and a margin for a client that sends so many, in milliseconds. */
const LONGEST_LOGIN = 3000 + 1000

await buildFirst()

t.test(
  '500 logins a second: each is answered in time, greetings and refreshes go on, and it ends at once',
  async (t) => {
    const { auth, resource } = await startPair(t, { BCRYPT_COST: '11', RATE_LIMIT_PER_MINUTE: '0' })
    const { send, operations } = recordHistory(() => auth.url)
    const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }
    await send('POST /signup', { body: ada })
    const login = () => send('POST /login', { body: { email: ada.email, password: ada.password } })
    const first = await timeToRecover(login)
    t.comment(`a login took ${first} ms before the storm`)
    const { body: tokens } = await login()
    const greetings = recordHistory(() => resource.url)
    const refreshes = recordHistory(() => auth.url)

    let [over, refresh] = [false, tokens['refresh_token']]
    const storm = promisify(execFile)(process.execPath, [STORM, auth.url, String(RATE), String(SECONDS)], {
      maxBuffer: 10e6
    }).finally(() => {
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
    const [{ stdout }] = await Promise.all([storm, greet(), renew()])
    const answers: { status: number; ms: number; retry: string | null }[] = JSON.parse(stdout)
    const wrong = answers.filter(
      ({ status, ms, retry }) => ms > LONGEST_LOGIN || (status !== 401 && !(status === 503 && retry))
    )
    t.strictSame(wrong.slice(0, 5), [], `of ${answers.length} logins`)
    const refused = answers.filter(({ status }) => status === 503).map(({ ms }) => ms)
    const longest = Math.round(Math.max(...answers.map(({ ms }) => ms)))
    t.comment(`${answers.length - refused.length} compared, ${refused.length} refused, the longest took ${longest} ms`)
    for (const { operations } of [greetings, refreshes]) {
      const [half, most] = [50, 99].map((percent) => percentile(operations, percent))
      t.comment(`${operations[0]?.name}: ${summary(operations)}; half within ${half} ms, 99 % within ${most} ms`)
      t.strictSame(operations.filter(({ status }) => status !== 200).slice(0, 5), [])
    }
    t.ok(percentile(greetings.operations, 99) <= LONGEST_GREETING, 'greetings do not notice')
    const after = await login()
    t.equal(after.status, 200, `and afterwards a login takes ${after.ms} ms`)
    everyAnswerIsClean(t, [...operations, ...greetings.operations, ...refreshes.operations])
  }
)
