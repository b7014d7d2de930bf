import type { AddressInfo } from 'node:net'
import { serverAudits } from 'graphql-http'
import t from 'tap'
import { startChat } from './app.ts'

/** The audits that ask for a type of the schema, which is shown in development only. */
const OF_SCHEMA = ['2EA1', '28B9', 'D6D5', '6A70']

const SHOWN: Readonly<Record<string, readonly string[]>> = { development: [], production: OF_SCHEMA }

for (const [NODE_ENV, refused] of Object.entries(SHOWN)) {
  t.test(`GraphQL over HTTP is spoken as its specification says, in ${NODE_ENV}`, async (t) => {
    const chat = await startChat(t, { NODE_ENV })
    await chat.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = chat.app.server.address() as AddressInfo
    const { token } = chat.user('Ada')
    const fetchFn: typeof fetch = (url, init) => {
      const headers = new Headers(init?.headers)
      headers.set('authorization', `Bearer ${token}`)
      return fetch(url, { ...init, headers })
    }
    const audits = serverAudits({ url: `http://127.0.0.1:${port}/graphql`, fetchFn })
    t.equal(audits.length, 61)
    const failed: string[] = []
    for (const { id, name, fn } of audits) {
      const result = await fn()
      if (result.status === 'ok') continue
      failed.push(id)
      t.comment(`${id} ${name}: ${result.reason}`)
      // Else the next request waits for the connection.
      await result.response.body?.cancel()
    }
    t.strictSame(failed, refused)
  })
}
