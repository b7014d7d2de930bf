import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { App } from '@latchkey/frame/app-type'
import { type RawAnswer, sendRaw } from '@latchkey/testing/raw-http'
import type { Kind } from '@latchkey/tokens/claims'
import { decodeUnverified } from '@latchkey/tokens/compact'
import t from 'tap'
import { AUDIENCE, ISSUER, startAuth } from '../services/auth/test/app.ts'
import { startResource } from '../services/resource/test/app.ts'
import type { Deviation } from './strictness/deviation.ts'
import { deviations } from './strictness/deviations.ts'
import { makeForger } from './strictness/forger.ts'
import { signingKeys } from './strictness/signing-keys.ts'

/** In every token and password hash hereabouts, and so in no answer and no line of the log that refuses one. */
const MARKER = 'Marker4711'
const INTERNAL = new RegExp(`${MARKER}|eyJ|node_modules|\\.ts|\\bat /|select |private`, 'i')

const forger = await makeForger()
const leeway = 5

let asked = 0
const trap = createServer((_request, answer) => {
  asked += 1
  answer.end()
}).listen(0, '127.0.0.1')
await once(trap, 'listening')
t.teardown(() => trap.close())

const auth = await startAuth(t, { keys: await signingKeys(forger.keys) })
const authPort = await listen(auth.app)
const resource = await startResource(t, {
  ISSUER,
  AUDIENCE,
  JWKS_URL: `http://127.0.0.1:${authPort}/.well-known/jwks.json`,
  // An unknown key waits for the next fetch that is allowed; there are many of them here.
  JWKS_COOLDOWN: '1ms'
})
const resourcePort = await listen(resource.app)

const person = await auth.person({ username: MARKER })
const good: Record<Kind, Record<string, unknown>> = {
  access: decodeUnverified(person.access_token).claims,
  refresh: decodeUnverified(person.refresh_token).claims
}

const ENDPOINTS: Record<string, { kind: Kind; port: number; judge: (deviation: Deviation) => string }> = {
  'GET /greet': { kind: 'access', port: resourcePort, judge: ({ outcome, inHeader }) => inHeader ?? outcome },
  'GET /me': { kind: 'access', port: authPort, judge: atIssuer },
  'GET /refresh-token': { kind: 'refresh', port: authPort, judge: atIssuer }
}

function atIssuer({ outcome, atIssuer, inHeader }: Deviation): string {
  return inHeader ?? atIssuer ?? outcome
}

const PROBLEM = { type: 'application/problem+json', cache: 'no-store', internal: false }
const CHALLENGE = 'Bearer realm="latchkey"'

/** The answers that there are, by the verdict of the table. */
const EXPECTED: Record<string, object> = {
  accepted: { status: 200 },
  invalid_token: { ...PROBLEM, status: 401, code: 'invalid_token', challenge: [`${CHALLENGE}, error="invalid_token"`] },
  token_expired: { ...PROBLEM, status: 401, code: 'token_expired', challenge: [`${CHALLENGE}, error="invalid_token"`] },
  invalid_request: {
    ...PROBLEM,
    status: 400,
    code: 'invalid_request',
    challenge: [`${CHALLENGE}, error="invalid_request"`]
  },
  'no HTTP': { ...PROBLEM, status: 400, code: 'invalid_input' }
}

/** Requests that are on their way at a time. */
const AT_ONCE = 16

for (const [endpoint, { kind, port, judge }] of Object.entries(ENDPOINTS)) {
  const send = ({ make }: Deviation) => {
    const now = Math.floor(Date.now() / 1000)
    // A resource service remembers the highest epoch of a subject, so there each token has a subject of its own.
    const claims = port === resourcePort ? { ...good[kind], sub: randomUUID() } : good[kind]
    const token = make(forger.good(kind, claims, { now, leeway, trap: urlOf(trap) }))
    return sendRaw(port, endpoint, [`Authorization: Bearer ${token}`])
  }

  t.test(`${endpoint} answers every deviation of a token like the table`, async (t) => {
    const table = deviations(kind)
    const found: Record<string, object> = {}
    const expected: Record<string, object | undefined> = {}
    for (let from = 0; from < table.length; from += AT_ONCE) {
      const some = table.slice(from, from + AT_ONCE)
      const answers = await Promise.all(some.map(async (deviation) => [deviation, await send(deviation)] as const))
      for (const [deviation, answer] of answers) {
        found[deviation.name] = described(answer)
        expected[deviation.name] = EXPECTED[judge(deviation)]
      }
    }
    t.strictSame(found, expected)
  })
}

t.test('no token made anybody ask the places that it names', async (t) => {
  t.equal(asked, 0)
})

t.test('no token, and nothing out of one, is in the log', async (t) => {
  const said = [...auth.lines, ...resource.lines].map((line) => JSON.stringify(line))
  t.same(
    said.filter((line) => INTERNAL.test(line)),
    []
  )
  t.same(
    said.filter((line) => /"level":"(error|fatal)"/.test(line)),
    []
  )
})

function described({ status, headers, body, text }: RawAnswer): object {
  if (status === 200) return { status }
  const [type] = headers.get('content-type') ?? []
  const [cache] = headers.get('cache-control') ?? []
  const challenge = headers.get('www-authenticate')
  const internal = INTERNAL.test(text)
  const { code } = JSON.parse(body)
  return { status, type, code, internal, ...(cache && { cache }), ...(challenge && { challenge }) }
}

async function listen(app: App): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

function urlOf(server: { address(): unknown }): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
