import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { accessClaims, accessToken, makeKey } from '../../testing/src/tokens.ts'

const SCRIPT = fileURLToPath(new URL('verifying-script.ts', import.meta.url))
const ISSUER = 'https://auth.example.com'
const [ours, stranger] = await Promise.all([makeKey(), makeKey()])
const claims = accessClaims(ISSUER, 'latchkey', Math.floor(Date.now() / 1000))
const [known, unknown] = [accessToken(ours, claims), accessToken(stranger, claims)]

const publishing: RequestListener = (_request, answer) => answer.end(JSON.stringify({ keys: [ours.jwk] }))

/** Listens on the loopback interface; the URL of its key set. */
async function issuer(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
}

/** Runs a script that opens a key set, verifies these tokens, prints what became of each, and closes nothing. */
async function run(t: Test, options: { url: string; stuck?: boolean }, tokens: string[]): Promise<object> {
  const given = JSON.stringify({ issuer: ISSUER, tokens, ...options })
  const child = spawn(process.execPath, [...process.execArgv, SCRIPT, given], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  // Long before the timer of the next fetch, which is minutes away.
  const tooLate = setTimeout(() => child.kill('SIGKILL'), 60_000)
  const [said, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  clearTimeout(tooLate)
  return { said: said.trim().split('\n'), code, signal }
}

const ENDED = { code: 0, signal: null }

t.test(
  'a script that waits for an unknown key within the cooldown gets its answer, and then ends by itself',
  async (t) => {
    const url = await issuer(t, publishing)
    t.same(await run(t, { url }, [known, unknown, known]), {
      said: ['accepted', 'invalid_token', 'accepted'],
      ...ENDED
    })
  }
)

t.test('a script that waits for an issuer who says nothing is told so after the timeout', async (t) => {
  const url = await issuer(t, () => {})
  t.same(await run(t, { url }, [known]), { said: ['unavailable'], ...ENDED })
})

t.test('it is told so too where the network is one of its own that keeps no process alive', async (t) => {
  t.same(await run(t, { url: ISSUER, stuck: true }, [known]), { said: ['unavailable'], ...ENDED })
})

t.test('a script is answered at once while a fetch that failed is not repeated yet, and ends by itself', async (t) => {
  const url = await issuer(t, (_request, answer) => answer.writeHead(500).end())
  t.same(await run(t, { url }, [known, unknown, known]), { said: Array(3).fill('unavailable'), ...ENDED })
})

t.test('a script that has nothing to verify ends by itself', async (t) => {
  const url = await issuer(t, publishing)
  t.same(await run(t, { url }, []), { said: [''], ...ENDED })
})
