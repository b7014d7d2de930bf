// "Execute" of the documentation pages: what they propose for each operation is a request that the service understands.
import { randomUUID } from 'node:crypto'
import { createDatabase, runStatement, serviceUrl } from '@latchkey/testing/database'
import { resolved } from '@latchkey/testing/document'
import t, { type Test } from 'tap'
import { type Service, startChat, startPair } from './pair.ts'
import { send } from './watched.ts'

/** The password of the examples. */
const PASSWORD = 'correct horse battery'

const FEED_TOKEN = 'a-token-of-the-feed-that-is-long-enough'

/** Codes of 400 that say nothing against the form of a request. */
const WELL_FORMED = ['invalid_code', 'renewal_too_early']

interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly examples?: readonly unknown[]
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required?: boolean
  readonly example?: unknown
}

interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, object>>
  readonly security?: readonly Readonly<Record<string, unknown>>[]
}

/** What Swagger UI proposes for a schema: its first example, or else any value of its type. */
function proposed({ type, properties, items, anyOf, examples, enum: values }: Schema): unknown {
  if (examples) return examples[0]
  if (values) return values[0]
  if (anyOf?.[0]) return proposed(anyOf[0])
  // Of several types the first counts.
  const [first = ''] = [type].flat()
  if (first === 'object') {
    return Object.fromEntries(Object.entries(properties ?? {}).map(([name, schema]) => [name, proposed(schema)]))
  }
  return first === 'array' ? [proposed(items ?? {})] : (VALUES[first] ?? 'string')
}

const VALUES: Readonly<Record<string, unknown>> = { boolean: true, integer: 0, number: 0 }

/** Puts the examples of path and query into a line. Fails where a parameter is required and has none: then the page sends nothing. */
function addressed(t: Test, line: string, parameters: readonly Parameter[]): string {
  let path = line
  const query = new URLSearchParams()
  for (const { name, in: place, required, example } of parameters) {
    if (place === 'path') path = path.replace(`{${name}}`, encodeURIComponent(String(example)))
    else if (example !== undefined) query.set(name, String(example))
    if (required) t.not(example, undefined, `${line}: ${name} has an example`)
  }
  return query.size > 0 ? `${path}?${query}` : path
}

t.test('the examples of every operation make a request that is understood', { timeout: 120_000 }, async (t) => {
  const owners = await createDatabase(t)
  const { auth, resource } = await startPair(
    t,
    { DATABASE_URL: await serviceUrl(owners), RATE_LIMIT_PER_MINUTE: '10000' },
    // Nobody takes these mails.
    {
      auth: { REVOCATION_FEED: 'token', FEED_TOKEN, SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'no-reply@example.com' }
    }
  )
  const chat = await startChat(t, auth, { FEED_TOKEN })

  /** The credentials of a new administrator, by the names of the schemes. */
  async function newCredentials(service: Service): Promise<Readonly<Record<string, string>>> {
    const right = { email: `${randomUUID()}@example.com`, password: PASSWORD }
    await send(auth, 'POST /signup', { body: { ...right, username: 'Ada' } })
    await runStatement(owners, `UPDATE users SET roles = '{user,admin}' WHERE email = '${right.email}'`)
    const body = service === auth ? { ...right, resource: auth.url } : right
    const tokens = (await send(auth, 'POST /login', { body })).body
    return { accessToken: tokens.access_token, refreshToken: tokens.refresh_token, feedToken: FEED_TOKEN }
  }

  for (const [name, service] of Object.entries({ auth, resource, chat })) {
    await t.test(name, async (t) => {
      const { paths } = resolved((await send(service, 'GET /openapi.json')).body)
      for (const [path, methods] of Object.entries<Record<string, Operation>>(paths)) {
        for (const [method, operation] of Object.entries(methods)) {
          await understands(t, service, `${method.toUpperCase()} ${path}`, operation)
        }
      }
    })
  }

  async function understands(t: Test, service: Service, line: string, operation: Operation): Promise<void> {
    const { parameters = [], requestBody, responses, security = [] } = operation
    const schema = requestBody?.content['application/json']?.schema
    const credentials = await newCredentials(service)
    const scheme = security.flatMap((one) => Object.keys(one)).find((one) => one in credentials) ?? ''
    const answer = await send(service, addressed(t, line, parameters), {
      token: credentials[scheme] ?? '',
      ...(schema && { body: proposed(schema) as object })
    })
    const { code, errors } = answer.body
    t.ok(answer.status in responses, `${line}: ${answer.status} is documented`)
    t.ok(answer.status !== 400 || WELL_FORMED.includes(code), `${line}: ${JSON.stringify(answer.body)}`)
    t.notOk(scheme && answer.status === 401, `${line}: ${JSON.stringify(answer.body)}`)
    t.equal(errors, undefined, line)
  }
})
