import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { between } from '@latchkey/testing/between'
import { createDatabase } from '@latchkey/testing/database'
import pg from 'pg'
import t from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import {
  everyAnswerIsClean,
  LONGEST_ANSWER,
  longestOf,
  MARGIN,
  oneIsInTime,
  recordHistory,
  summary,
  timeToRecover
} from './history.ts'

/** More than twice as many as a fast thread can compare in their time. */
const STORM = 80 * availableParallelism()

/**
 * A login alone that takes longer, in milliseconds, has not a quarter of the processor time that it is promised: a storm, with
 * its clients and the greetings beside it on the same cores, may leave it none. On an idle machine one takes 200 ms.
 */
const SLOW = LONGEST_ANSWER / 4

await buildFirst()
const database = await createDatabase(t)
const { auth, resource } = await startPair(t, { DATABASE_URL: database, RATE_LIMIT_PER_MINUTE: '0' })
const { send, operations } = recordHistory(() => auth.url)
const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }
const credentials = { email: ada.email, password: ada.password }

t.test('a service that is started again with a higher cost hashes anew at the next login', async (t) => {
  await send('POST /signup', { body: ada })
  t.match(await storedHash(), /^\$2b\$10\$/)
  await auth.stop()
  await auth.start('/readyz', { BCRYPT_COST: '11' })
  t.equal((await send('POST /login', { body: credentials })).status, 200)
  t.match(await storedHash(), /^\$2b\$11\$/)
  t.equal((await send('POST /login', { body: credentials })).status, 200)
})

t.test('hashing threads give way to the others', { skip: process.platform !== 'linux' }, async (t) => {
  const threads = Math.min(availableParallelism(), 8)
  const { send } = recordHistory(() => auth.url)
  // A thread starts when there is work for it.
  await Promise.all(Array.from({ length: 2 * threads }, () => send('POST /login', { body: credentials })))
  const tasks = `/proc/${auth.pid()}/task`
  // proc_pid_stat(5): after the name in brackets, nice is the seventeenth.
  const niceness = readdirSync(tasks).map((id) =>
    Number(readFileSync(`${tasks}/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[16])
  )
  const usual = Math.min(...niceness)
  t.equal(niceness.filter((nice) => nice === Math.min(usual + 5, 19)).length, threads, String(niceness))
})

t.test('a storm of logins: those that would wait too long hear so at once, and nobody else notices', async (t) => {
  await oneIsInTime(t, LONGEST_ANSWER + MARGIN, async (round) => {
    const { send, operations } = recordHistory(() => auth.url)
    const greetings = recordHistory(() => resource.url)
    const { body: tokens, ms: alone } = await send('POST /login', { body: credentials })
    const saidBefore = saidAtOnce()
    const written = auth.output().length
    const said = () => auth.output().slice(written)
    let over = false
    const storm = Promise.all(
      Array.from({ length: STORM }, (_, i) =>
        send('POST /login', { body: { email: `nobody${round}-${i}@example.com`, password: 'a guess' } })
      )
    ).finally(() => {
      over = true
    })
    let refresh = tokens['refresh_token']
    const others = []
    while (!over) {
      others.push(await greetings.send('GET /greet', { token: tokens['access_token'] }))
      const refreshed = await send('POST /refresh-token', { token: refresh })
      refresh = refreshed.body['refresh_token'] ?? refresh
      others.push(refreshed)
    }
    const answers = await storm
    t.equal(answers.filter(({ status }) => status === 401 || status === 503).length, STORM)
    const refused = answers.filter(({ status }) => status === 503)
    t.comment(
      `of ${STORM} logins ${summary(answers)}; one alone took ${alone} ms; ${JSON.stringify(reasonsOf(said()))}`
    )
    // Where one alone takes so long, the storm leaves none of them the time.
    const least = alone > SLOW ? 0 : 1
    if (least === 0) t.comment(`too slow: one login alone took ${alone} ms`)
    between(t, STORM - refused.length, { least, most: STORM - 1 }, `compared, of ${summary(answers)}`)
    const atOnce = saidAtOnce() - saidBefore
    between(t, atOnce, { least: Math.floor(refused.length / 2) + 1, most: refused.length }, 'refused at once')
    t.strictSame(
      others.filter(({ status }) => status !== 200),
      [],
      `${others.length} greetings and refreshes`
    )
    // Who was answered too late is still compared.
    await timeToRecover(() => send('POST /login', { body: credentials }))
    const all = [...operations, ...greetings.operations]
    everyAnswerIsClean(t, all, Number.POSITIVE_INFINITY)
    return longestOf(all)
  })
  everyAnswerIsClean(t, operations)
})

/** How often each reason for an answer of 503 is in the log, without its numbers. */
function reasonsOf(log: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [, reason = ''] of log.matchAll(/"code":"unavailable".*?"msg":"([^"]*)"/g)) {
    const kind = reason.replaceAll(/\d+/g, 'n')
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

function saidAtOnce(): number {
  return auth.output().match(/"msg":"hashing: about \d+ ms to wait/g)?.length ?? 0
}

async function storedHash(): Promise<string> {
  const client = new pg.Client(database)
  await client.connect()
  const { rows } = await client.query('SELECT password_hash FROM users WHERE email = $1', [ada.email])
  await client.end()
  return rows[0].password_hash
}
