import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import t from 'tap'
import type { Service } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { type History, type Operation, recordHistory, type Sending, succeeded, summary } from './history.ts'
import { startInstances } from './instances.ts'

const ROUNDS = 2
/** The promise of 10 s, and a margin for a busy machine, in milliseconds. */
const LONGEST_END = 10_000 + 1000
const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }

await buildFirst()

t.test('two instances of each service are restarted in turn under load, and no request is dropped', async (t) => {
  const { auths, resources, anyAuth, anyResource } = await startInstances(t)
  const [auth, resource] = [recordHistory(anyAuth), recordHistory(anyResource)]
  await ask(auth, 'POST /signup', { body: ada })
  let over = false
  const user = async () => {
    while (!over) {
      const tokens = await ask(auth, 'POST /login', { body: { email: ada.email, password: ada.password } })
      await ask(resource, 'GET /greet', { token: tokens['access_token'] })
      const next = await ask(auth, 'POST /refresh-token', { token: tokens['refresh_token'] })
      await ask(resource, 'GET /greet', { token: next['access_token'] })
      await ask(auth, 'GET /me', { token: next['access_token'] })
    }
  }
  const load = Promise.all([user(), user(), user(), user()])
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const instance of [...auths, ...resources]) {
      await sleep(500)
      const begun = Date.now()
      t.equal(await instance.stop(), 0)
      between(t, Date.now() - begun, { most: LONGEST_END }, 'milliseconds until it had ended')
      await instance.start()
    }
  }
  over = true
  await load
  const operations = [...auth.operations, ...resource.operations]
  const wrong = operations.filter((operation) => !succeeded(operation) && !isToBeRepeated(operation))
  t.strictSame(wrong, [], [summary(operations), ...[...auths, ...resources].flatMap(whyUnavailable)].join('; '))
})

// Asks the next instance where a connection is refused, or again later where a login is told to come later.
async function ask({ send }: History, line: string, sending: Sending): Promise<Operation['body']> {
  for (;;) {
    const operation = await send(line, sending)
    if (!isToBeRepeated(operation)) return operation.body
    await sleep(Number(operation.retryAfter) * 1000)
  }
}

// What the log says of each 503, for whoever finds this test failed.
function whyUnavailable({ output }: Service): string[] {
  return [...output().matchAll(/"code":"unavailable".*"msg":"([^"]+)"/g)].map(([, why = '']) => why)
}

// On a machine that is busy hashing threads, which have a lower priority, may be too slow: nothing that a stop does.
function isToBeRepeated({ name, status, error }: Operation): boolean {
  return error === 'ECONNREFUSED' || (name === 'POST /login' && status === 503)
}
