import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Service } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startDatabase } from './database-server.ts'
import { type Operation, recordHistory, recovers, succeeded } from './history.ts'
import { startInstances } from './instances.ts'

/** In seconds. */
const BOUND = 5
/** With what the test itself may come late on a machine that is busy. In milliseconds. */
const LONGEST = BOUND * 1000 + 1500
const PEOPLE = 3
const ROUNDS = 4

await buildFirst()

/** An acknowledged end of a session, and how long each resource service accepted its access token after it, in milliseconds. */
interface End {
  readonly token: string
  readonly acceptedFor: number[]
}

t.test(
  'instances and PostgreSQL are killed in turn: no token is accepted later than the bound after its end',
  async (t) => {
    const database = await startDatabase(t)
    const { auths, resources, anyAuth } = await startInstances(
      t,
      { DATABASE_URL: database.url, REVOCATION_FEED: 'open', FEED_WHEN_CUT: 'refuse', FEED_BOUND: `${BOUND}s` },
      // Each resource service follows another instance.
      ([first, second]) => [{ FEED_URL: `${first}/revocations` }, { FEED_URL: `${second}/revocations` }]
    )
    const auth = recordHistory(anyAuth)
    const ask = (line: string, sending: object) => untilAnswered(() => auth.send(line, sending))
    const ends: End[] = []
    const late: string[] = []
    let isOver = false

    const live = async (name: string) => {
      const person = { email: `${name}@example.com`, password: 'a quiet harbour at dawn' }
      await ask('POST /signup', { body: { ...person, username: name } })
      while (!isOver) {
        const tokens = (await ask('POST /login', { body: person })).body
        const [token, refresh] = [tokens['access_token'] ?? '', tokens['refresh_token']]
        await Promise.all(resources.map((resource) => isGreeted(resource, token, () => isOver)))
        if (isOver) return
        await ask('POST /logout', { token: refresh })
        const acknowledged = performance.now()
        const acceptedFor = await Promise.all(resources.map((resource) => untilKnown(resource, token, acknowledged)))
        ends.push({ token, acceptedFor })
        for (const ms of acceptedFor) if (ms > LONGEST) late.push(`${name}: ${Math.round(ms)} ms`)
      }
    }
    const load = Promise.all(Array.from({ length: PEOPLE }, (_, n) => live(`person${n}`)))

    for (let round = 0; round < ROUNDS; round += 1) {
      const instance = auths[round % auths.length] as Service
      await instance.kill()
      await sleep(1000)
      await instance.start()
      if (round % 2 === 0) continue
      await database.kill()
      await sleep(1000)
      await database.start()
      await recovers(t, () => recordHistory(() => instance.url).send('GET /readyz'))
    }
    const settled = ends.length
    while (ends.length < settled + PEOPLE) await sleep(100)
    isOver = true
    await load

    t.strictSame(late, [])
    for (const { token } of ends) {
      for (const resource of resources) if ((await greet(resource, token)) === 200) late.push(token.slice(-8))
    }
    t.strictSame(late, [], 'and none is accepted again')
    const times = ends.flatMap(({ acceptedFor }) => acceptedFor).sort((a, b) => a - b)
    t.ok(ends.length >= PEOPLE)
    t.comment(
      `${ends.length} logouts; accepted for ${[0.5, 0.99].map((q) => Math.round(times[Math.floor(q * times.length)] ?? 0))} ms (p50, p99)`
    )
  }
)

async function greet({ url }: Service, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  return (await fetch(`${url}/greet`, { headers, signal: AbortSignal.timeout(5000) })).status
}

// While it is cut, a resource service refuses everybody.
async function isGreeted(resource: Service, token: string, isOver: () => boolean): Promise<void> {
  for (let status = 503; status !== 200; ) {
    status = await greet(resource, token)
    if (status !== 200 && status !== 503) throw new Error(`an honest token got ${status}`)
    if (isOver()) return
    if (status === 503) await sleep(50)
  }
}

// While it is cut, it refuses without knowing: that is 503, and it may not be the end. 401 is.
async function untilKnown(resource: Service, token: string, since: number): Promise<number> {
  let accepted = 0
  for (;;) {
    const asked = performance.now()
    const status = await greet(resource, token)
    if (status === 200) accepted = asked - since
    if (status === 401 || accepted > LONGEST) return accepted
    await sleep(20)
  }
}

// A killed instance is no answer, and a logout may be asked again.
async function untilAnswered(send: () => Promise<Operation>): Promise<Operation> {
  for (;;) {
    const operation = await send()
    if (succeeded(operation)) return operation
    if (operation.status === 409) return operation
    await sleep(100)
  }
}
