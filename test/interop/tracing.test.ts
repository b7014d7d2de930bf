// docs/tracing.md as it stands there, against a played collector.
import { once } from 'node:events'
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { makeKey } from '../../packages/testing/src/tokens.ts'
import { startPair } from '../pair.ts'
import { isInstalled, makeFolder, TOOLS } from './tools.ts'

const skip = isInstalled('tracing') ? false : 'run test/interop/install.sh'
const PAGE = new URL('../../docs/tracing.md', import.meta.url)
const SPAN = '00f067aa0ba902b7'

/** A span as OTLP has it; of its attributes those that are texts. */
interface Span {
  readonly name: string
  readonly traceId: string
  readonly service: string
  readonly texts: Readonly<Record<string, string>>
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[]
  }[]
}

interface SentSpan {
  readonly name: string
  readonly traceId: string
  readonly attributes: readonly Attribute[]
}

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string }
}

const textsOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? '']))

async function listen(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A collector that keeps what comes, and the settings of a process that sends it there. */
async function collect(t: Test): Promise<{ spans: Span[]; settings: Record<string, string> }> {
  const spans: Span[] = []
  const url = await listen(t, async (request, response) => {
    const { resourceSpans } = (await json(request)) as Sent
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = textsOf(resource.attributes)['service.name'] ?? ''
      const sent = scopeSpans.flatMap(({ spans }) => spans)
      spans.push(
        ...sent.map(({ name, traceId, attributes }) => ({ name, traceId, service, texts: textsOf(attributes) }))
      )
    }
    response.setHeader('content-type', 'application/json').end('{}')
  })
  const folder = await makeFolder(t)
  const [, code = ''] = /^```js tracing\.mjs\n(.*?)^```$/ms.exec(await readFile(PAGE, 'utf8')) ?? []
  await writeFile(join(folder, 'tracing.mjs'), code)
  await symlink(join(TOOLS, 'tracing/node_modules'), join(folder, 'node_modules'))
  const settings = {
    NODE_OPTIONS: `--import=${join(folder, 'tracing.mjs')}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '50'
  }
  return { spans, settings }
}

/** Sends a request of this trace, as somebody who traces too. */
async function send(url: string, traceId: string, { token, ...body }: { token?: string } & Record<string, unknown>) {
  const answer = await fetch(url, {
    method: token === undefined ? 'POST' : 'GET',
    headers: {
      traceparent: `00-${traceId}-${SPAN}-01`,
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` })
    },
    ...(token === undefined && { body: JSON.stringify(body) })
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, string> }
}

/** Waits until the collector has a span for which this holds. */
async function until(spans: readonly Span[], holds: (span: Span) => boolean): Promise<void> {
  while (!spans.some(holds)) await sleep(50)
}

t.test(
  'a login and a greeting are one trace each, with named statements and the fetch of the keys',
  { skip },
  async (t) => {
    const { spans, settings } = await collect(t)
    // Without the key of the auth service at first, so that the first greeting needs one that is not there.
    const old = JSON.stringify({ keys: [(await makeKey()).jwk] })
    let source: string | undefined
    const issuer = await listen(t, async ({ headers: { traceparent } }, response) => {
      const headers = { ...(typeof traceparent === 'string' && { traceparent }) }
      const keys = source === undefined ? old : await (await fetch(source, { headers })).text()
      response.setHeader('content-type', 'application/json').end(keys)
    })
    const { auth, resource } = await startPair(t, settings, {
      auth: { OTEL_SERVICE_NAME: 'auth' },
      resource: { OTEL_SERVICE_NAME: 'resource', JWKS_URL: issuer, JWKS_COOLDOWN: '0s' }
    })
    source = `${auth.url}/.well-known/jwks.json`
    const person = { email: 'ada@example.com', password: 'correct horse battery staple', username: 'Ada' }
    const [signup, login, greeting] = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [string, string, string]
    t.equal((await send(`${auth.url}/signup`, signup, person)).status, 201)
    const { email, password } = person
    const { status, body } = await send(`${auth.url}/login`, login, { email, password })
    t.equal(status, 200)
    t.equal((await send(`${resource.url}/greet`, greeting, { token: body['access_token'] ?? '' })).status, 200)

    await until(spans, ({ name, traceId }) => traceId === login && name === 'POST')
    const statements = spans.filter(({ traceId, name }) => traceId === login && name.startsWith('pg.query:'))
    const names = statements.map(({ name }) => name.split(' ')[0])
    for (const name of ['user_by_email', 'attempt_count', 'session_open', 'audit_append', 'attempts_forget']) {
      t.ok(names.includes(`pg.query:${name}`), `${name} is in ${names.join(', ')}`)
    }
    t.notMatch(names.join(), /latchkey\d|\/\*/)

    const ofGreeting = (of: string) => spans.filter(({ traceId, service }) => traceId === greeting && service === of)
    await until(spans, ({ traceId, service, name }) => traceId === greeting && service === 'resource' && name === 'GET')
    await until(spans, ({ traceId, service }) => traceId === greeting && service === 'auth')
    t.equal(ofGreeting('resource').length, 2, 'the greeting and its fetch')
    t.equal(ofGreeting('auth')[0]?.texts['url.path'], '/.well-known/jwks.json')
    t.match(resource.output(), `"trace_id":"${greeting}"`)

    const all = JSON.stringify(spans)
    t.notMatch(all, password)
    t.notMatch(all, body['access_token'])
  }
)
