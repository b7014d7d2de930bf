import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Service } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { startInstances } from './instances.ts'

const ROUNDS = 2
/** The promise of 10 s, and a margin for a busy machine, in milliseconds. */
const LONGEST_END = 10_000 + 1000
const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }

await buildFirst()

t.test('two instances of each service are restarted in turn under load, and no request is dropped', async (t) => {
  const { auths, resources } = await startInstances(t)
  const refused: string[] = []
  let [answered, over] = [0, false]

  // A client that goes to the next instance where a connection is refused; whatever else goes wrong is written down.
  let turn = 0
  async function ask(services: readonly Service[], path: string, init: RequestInit): Promise<Record<string, string>> {
    for (;;) {
      turn += 1
      try {
        const answer = await fetch(services[turn % services.length]?.url + path, init)
        const body = (await answer.json()) as Record<string, string>
        answered += 1
        if (!answer.ok) refused.push(`${path}: ${answer.status} ${body['code']}`)
        return body
      } catch (error) {
        const { code } = (error as { cause?: { code?: string } }).cause ?? {}
        if (code !== 'ECONNREFUSED') {
          refused.push(`${path}: ${code ?? error}`)
          return {}
        }
      }
    }
  }
  const post = (body: object) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  const bearer = (token: string | undefined) => ({ headers: { authorization: `Bearer ${token}` } })

  await ask(auths, '/signup', post(ada))
  const user = async () => {
    while (!over) {
      const tokens = await ask(auths, '/login', post({ email: ada.email, password: ada.password }))
      await ask(resources, '/greet', bearer(tokens['access_token']))
      const next = await ask(auths, '/refresh-token', bearer(tokens['refresh_token']))
      await ask(resources, '/greet', bearer(next['access_token']))
      await ask(auths, '/me', bearer(next['access_token']))
    }
  }
  const load = Promise.all([user(), user(), user(), user()])
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const instance of [...auths, ...resources]) {
      await sleep(500)
      const begun = Date.now()
      t.equal(await instance.stop(), 0)
      t.ok(Date.now() - begun < LONGEST_END, `ended within ${Date.now() - begun} ms`)
      await instance.start()
    }
  }
  over = true
  await load
  t.strictSame(refused, [], `of ${answered} answers`)
})
