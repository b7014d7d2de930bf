import { between } from '@latchkey/testing/between'
import { everySchemaCompiles } from '@latchkey/testing/compiled'
import { resolved } from '@latchkey/testing/document'
import {
  everyAnswerIsNamed,
  everyObjectStandsOnce,
  everyOperationIsNamed,
  everyRefusalHasItsHeaders,
  everyTextIsShown
} from '@latchkey/testing/operations'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { addStream } from '../src/signals/streams.ts'
import { ISSUER, startAuth } from './app.ts'
import { FEED_TOKEN, lineOf } from './feed.ts'

const env = { REVOCATION_FEED: 'token', FEED_TOKEN }
const auth = await startAuth(t, { env })
const { status, headers, body: sent } = await auth.send('GET /openapi.json')
const document = resolved(sent)

/** Every endpoint of the contract, with all that it can answer: status, and the codes of the problems. */
const TOKEN = { 401: ['invalid_token', 'missing_token', 'token_expired'], 400: ['invalid_input', 'invalid_request'] }
const BODY = { 413: ['content_too_large'], 415: ['unsupported_media_type'] }
const ALWAYS = { 400: ['invalid_input'], 500: ['internal_error'], 503: ['unavailable'] }
const BY_COOKIE = { 403: ['cross_site'] }
const LIMITED = { 429: ['too_many_requests'] }
const ADMIN = { ...ALWAYS, ...TOKEN, ...BODY, 403: ['insufficient_scope'], 404: ['not_found'], 409: ['last_admin'] }
const ENDPOINTS: Record<string, Record<number, string[]>> = {
  'POST /signup': { ...ALWAYS, ...BODY, ...LIMITED, 201: [], 202: [], 403: ['signup_closed'], 409: ['email_taken'] },
  'POST /login': {
    ...ALWAYS,
    ...BODY,
    ...LIMITED,
    200: [],
    401: ['invalid_credentials'],
    403: ['account_disabled', 'email_unverified']
  },
  'GET /refresh-token': { ...ALWAYS, ...TOKEN, 200: [] },
  'POST /refresh-token': { ...ALWAYS, ...TOKEN, ...BODY, 200: [] },
  'POST /signin': {
    ...ALWAYS,
    ...BODY,
    ...LIMITED,
    200: [],
    400: ['invalid_input', 'invalid_request'],
    401: ['invalid_credentials'],
    403: ['account_disabled', 'cross_site', 'email_unverified']
  },
  'POST /refresh': {
    ...ALWAYS,
    ...TOKEN,
    ...BODY,
    ...BY_COOKIE,
    200: [],
    400: ['invalid_input', 'invalid_request', 'renewal_too_early']
  },
  'GET /sessions': { ...ALWAYS, ...TOKEN, 200: [] },
  'DELETE /sessions/{id}': { ...ALWAYS, ...TOKEN, ...BY_COOKIE, ...BODY, 204: [], 404: ['not_found'] },
  'POST /logout': { ...ALWAYS, ...TOKEN, ...BY_COOKIE, ...BODY, 204: [] },
  'POST /logout-everywhere': { ...ALWAYS, ...TOKEN, ...BY_COOKIE, ...BODY, 204: [] },
  'DELETE /me': {
    ...ALWAYS,
    ...TOKEN,
    ...BY_COOKIE,
    ...BODY,
    ...LIMITED,
    204: [],
    401: ['invalid_credentials', 'invalid_token', 'missing_token', 'token_expired'],
    409: ['last_admin']
  },
  'POST /users': {
    ...ALWAYS,
    ...TOKEN,
    ...BODY,
    201: [],
    403: ['insufficient_scope', 'signup_closed'],
    409: ['email_taken']
  },
  'POST /users/{id}/invitation': {
    ...ALWAYS,
    ...TOKEN,
    ...BODY,
    ...LIMITED,
    202: [],
    403: ['account_disabled', 'insufficient_scope', 'signup_closed'],
    404: ['not_found']
  },
  'GET /users': { ...ALWAYS, ...TOKEN, 200: [], 403: ['insufficient_scope'] },
  'GET /audit-log': { ...ALWAYS, ...TOKEN, 200: [], 403: ['insufficient_scope'] },
  'PUT /users/{id}/roles': { ...ADMIN, 200: [] },
  'POST /users/{id}/disable': { ...ADMIN, 200: [] },
  'POST /users/{id}/enable': { ...ADMIN, 200: [] },
  'POST /users/{id}/end-sessions': { ...ADMIN, 204: [] },
  'DELETE /users/{id}': { ...ADMIN, 204: [] },
  'POST /change-password': {
    ...ALWAYS,
    ...TOKEN,
    ...BY_COOKIE,
    ...BODY,
    ...LIMITED,
    200: [],
    401: ['invalid_credentials', 'invalid_token', 'missing_token', 'token_expired']
  },
  'PUT /update-username': { ...ALWAYS, ...TOKEN, ...BY_COOKIE, ...BODY, 200: [] },
  'PUT /update-email': {
    ...ALWAYS,
    ...TOKEN,
    ...BY_COOKIE,
    ...BODY,
    ...LIMITED,
    202: [],
    401: ['invalid_credentials', 'invalid_token', 'missing_token', 'token_expired']
  },
  'POST /verify-email': {
    ...ALWAYS,
    ...TOKEN,
    ...BY_COOKIE,
    ...BODY,
    ...LIMITED,
    204: [],
    400: ['invalid_code', 'invalid_input', 'invalid_request'],
    409: ['email_taken']
  },
  'POST /verify-email/resend': { ...ALWAYS, ...BODY, ...LIMITED, 202: [] },
  'POST /forgot-password': { ...ALWAYS, ...BODY, ...LIMITED, 202: [] },
  'POST /reset-password': { ...ALWAYS, ...BODY, ...LIMITED, 204: [], 400: ['invalid_code', 'invalid_input'] },
  'GET /me': { ...ALWAYS, ...TOKEN, 200: [] },
  'GET /me/activity': { ...ALWAYS, ...TOKEN, 200: [] },
  'GET /.well-known/jwks.json': { ...ALWAYS, 200: [], 304: [] },
  'GET /.well-known/oauth-authorization-server': { ...ALWAYS, 200: [] },
  'GET /revocations': {
    ...ALWAYS,
    ...TOKEN,
    ...LIMITED,
    200: [],
    401: ['invalid_token', 'missing_token']
  },
  'GET /.well-known/ssf-configuration': { ...ALWAYS, 200: [], 404: ['not_found'] },
  'POST /signals/{id}': {
    ...ALWAYS,
    ...BODY,
    ...LIMITED,
    200: [],
    400: ['invalid_input', 'invalid_request'],
    401: ['invalid_token', 'missing_token']
  },
  'GET /healthz': { ...ALWAYS, 200: [] },
  'GET /readyz': { ...ALWAYS, 200: [] }
}

const WITH_BODY =
  /signals|signup|signin|login$|POST \/refresh-token|password|username|email|DELETE \/me|roles|POST \/users$/

// biome-ignore lint/suspicious/noExplicitAny: a document that is looked at member by member
type Operation = any
const operations: [line: string, operation: Operation][] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item as object).map(([method, operation]): [string, Operation] => [
    `${method.toUpperCase()} ${path}`,
    operation
  ])
)

t.test('every schema can be used', async (t) => everySchemaCompiles(t, (await startAuth(t, { env })).app))

t.test('the document is OpenAPI 3.1, made from the routes', async (t) => {
  t.equal(status, 200)
  t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  t.match(document, { openapi: /^3\.1\.\d$/, info: { title: 'Latchkey auth service', version: String } })
  const bearer = { type: 'http', scheme: 'bearer', description: /^The .*token.*[.]$/i }
  const cookie = { type: 'apiKey', in: 'cookie', description: /[.]$/ }
  const schemes = {
    accessToken: { ...bearer, bearerFormat: 'JWT' },
    refreshToken: { ...bearer, bearerFormat: 'JWT' },
    accessCookie: { ...cookie, name: '__Host-token' },
    refreshCookie: { ...cookie, name: '__Host-refresh_token' },
    feedToken: bearer,
    streamToken: bearer
  }
  t.match(document.components.securitySchemes, schemes)
  t.strictSame(Object.keys(document.components.securitySchemes), Object.keys(schemes))
})

t.test('it lists every endpoint, and what each can answer, with every code', async (t) => {
  t.strictSame(operations.map(([line]) => line).sort(), Object.keys(ENDPOINTS).sort())
  for (const [line, operation] of operations) {
    const answers = Object.entries<Operation>(operation.responses).map(([status, { content }]) => {
      const problem = content?.['application/problem+json']?.schema
      return [status, [...(problem?.properties.code.enum ?? [])].sort()]
    })
    t.strictSame(Object.fromEntries(answers), ENDPOINTS[line], line)
  }
})

t.test('each says what it does, what it takes and who may', async (t) => {
  everyOperationIsNamed(t, sent)
  everyRefusalHasItsHeaders(t, sent)
  everyTextIsShown(t, sent)
  everyAnswerIsNamed(t, sent)
  everyObjectStandsOnce(t, sent)
  for (const [line, { summary, tags, security, requestBody, responses }] of operations) {
    t.match({ summary, tags }, { summary: /^[A-Z]/, tags: [String] }, line)
    t.strictSame(security, 401 in responses ? credentialsOf(line) : [], `${line}: security`)
    const takes = requestBody?.content && Object.keys(requestBody.content)
    const hasBody = WITH_BODY.test(line)
    t.strictSame(takes, hasBody ? ['application/json'] : undefined, `${line}: body`)
    if (hasBody)
      t.match(requestBody, {
        required: line !== 'POST /refresh-token',
        // RFC 8936 lets receivers add members.
        content: { 'application/json': { schema: { additionalProperties: line.startsWith('POST /signals') } } }
      })
  }
})

/** The credentials that an endpoint takes: one of these; an empty one is none. */
function credentialsOf(line: string): object[] {
  const one = (name: string) => ({ [name]: [] })
  const [access, accessCookie] = [one('accessToken'), one('accessCookie')]
  const [refresh, refreshCookie] = [one('refreshToken'), one('refreshCookie')]
  const [, path = ''] = line.split(' ')
  const special: Record<string, object[]> = {
    '/login': [{}, refresh],
    '/refresh-token': [refresh],
    '/signin': [{}, refreshCookie],
    '/refresh': [refreshCookie],
    '/logout': [refresh, refreshCookie, {}],
    '/verify-email': [{}, access, accessCookie],
    '/revocations': [one('feedToken')],
    '/signals/{id}': [one('streamToken')]
  }
  return special[path] ?? (/^\/(users|audit-log)/.test(path) ? [access] : [access, accessCookie])
}

// What OpenAPI 3.1 asks of the parts that are used here; the schemas inside are JSON Schema 2020-12.
t.test('it is well formed', async (t) => {
  const ajv = new Ajv2020({ strict: false })
  const media = (content: Record<string, Operation> = {}) => Object.entries(content)
  for (const [line, { requestBody, responses, parameters = [] }] of operations) {
    for (const parameter of parameters)
      t.match(parameter, { name: String, in: /^(query|header|path|cookie)$/, schema: Object })
    for (const [status, { description, content }] of Object.entries<Operation>(responses)) {
      t.match(status, /^[1-5]\d\d$/)
      t.equal(typeof description, 'string', `${line} ${status} is described`)
      for (const [type, { schema }] of [...media(content), ...media(requestBody?.content)]) {
        t.match(type, /^application\/[\w+-]+$/)
        ajv.validateSchema(schema)
        t.equal(ajv.errors, null, `${line} ${status} ${type}`)
      }
    }
  }
  for (const [name, schema] of Object.entries<Operation>(document.components.schemas)) {
    ajv.validateSchema(schema)
    t.equal(ajv.errors, null, name)
  }
})

/** A body made of the examples of its fields. */
function exampleOf({ requestBody }: Operation): Record<string, unknown> | undefined {
  const fields = Object.entries<Operation>(requestBody?.content['application/json'].schema.properties ?? {})
  const shown = fields.filter(([, { examples }]) => examples).map(([name, { examples }]) => [name, examples[0]])
  return requestBody && Object.fromEntries(shown)
}

t.test('every route takes the examples of its fields as they stand', async (t) => {
  const own = await startAuth(t)
  await own.person({ email: 'ada@example.com', password: 'correct horse battery' })
  const { body: tokens } = await own.send('POST /login', {
    body: { ...exampleOf(named('POST /login')), resource: ISSUER }
  })
  await own.database.query("UPDATE users SET roles = '{user,admin}'")
  const answers: Record<string, number> = {}
  for (const [line, operation] of operations) {
    if (!operation.requestBody) continue
    const id = operation.parameters?.find(({ name }: { name: string }) => name === 'id')?.example
    const token = line.includes('refresh') ? tokens.refresh_token : tokens.access_token
    const { status } = await own.send(line.replace('{id}', id), { token, body: exampleOf(operation) })
    answers[line] = status
  }
  t.strictSame(answers, {
    'POST /signup': 409,
    'POST /login': 200,
    'POST /refresh-token': 200,
    'POST /signin': 200,
    'POST /change-password': 200,
    'PUT /update-username': 401,
    'PUT /update-email': 401,
    'POST /verify-email': 400,
    'POST /verify-email/resend': 202,
    'POST /forgot-password': 202,
    'POST /reset-password': 400,
    'DELETE /me': 401,
    'PUT /users/{id}/roles': 401,
    'POST /users': 401,
    'POST /signals/{id}': 401
  })
})

t.test('each text of a request says how long it may be, in patterns that generators read', async (t) => {
  for (const [line, { requestBody, parameters = [] }] of operations) {
    const body = requestBody?.content['application/json'].schema.properties ?? {}
    const queried = parameters.map(({ name, schema }: Operation) => [name, schema])
    for (const [name, field] of [...Object.entries<Operation>(body), ...queried]) {
      const schema = field.items ?? field
      const about = `${line} ${name}`
      const isText = schema.type === undefined || schema.type === 'string'
      if (isText && schema.enum === undefined) between(t, schema.maxLength, { most: 1000 }, about)
      // Property classes are not read by Python, and digits are more to it than to ECMA-262.
      t.notMatch(schema.pattern ?? '', /\\[pPdDwWsSbB]/, about)
    }
  }
  const [roles, password] = [named('PUT /users/{id}/roles'), named('POST /signup')].map(
    ({ requestBody }) => requestBody.content['application/json'].schema.properties
  )
  t.match(roles, { roles: { maxItems: 16, anyOf: [{ maxItems: 15 }, { contains: { enum: ['user'] } }] } })
  t.match(password, { password: { minLength: 8, maxLength: 72 }, username: { minLength: 1, maxLength: 1000 } })
})

function named(line: string): Operation {
  return Object.fromEntries(operations)[line]
}

t.test('answers are as it says', async (t) => {
  const ajv = new Ajv2020({ strict: false, formats: { uuid: /^[\da-f-]{36}$/, 'date-time': /^\d{4}-.+Z$/ } })
  const { email, password, access_token, refresh_token } = await auth.person()
  const stream = await auth.database.transaction((on) => addStream(on, { method: 'poll', audience: 'app' }))
  const said = (line: string, status: number): Operation =>
    Object.fromEntries(operations)[line.replace(stream?.id ?? '', '{id}')].responses[status].content
  for (const [line, sending] of Object.entries<Parameters<typeof auth.send>[1]>({
    'POST /signup': { body: { email: 'new@example.com', username: 'New', password } },
    'POST /login': { body: { email, password } },
    'GET /refresh-token': { token: refresh_token },
    'POST /signin': { body: { email, password } },
    'POST /refresh': { headers: { cookie: `__Host-refresh_token=${refresh_token}` } },
    'GET /me': { token: access_token },
    'PUT /update-username': { token: 'x', body: {} },
    'POST /change-password': { token: access_token, body: {} },
    'GET /.well-known/jwks.json': {},
    'GET /.well-known/oauth-authorization-server': {},
    'GET /.well-known/ssf-configuration': {},
    [`POST /signals/${stream?.id}`]: { token: stream?.token, body: { returnImmediately: true } },
    'GET /healthz': {},
    'GET /readyz': {}
  })) {
    const { status, headers, body } = await auth.send(line, sending)
    const [type = ''] = String(headers['content-type']).split(';')
    const { schema } = said(line, status)[type] ?? {}
    t.equal(
      schema !== undefined && ajv.validate({ ...schema, additionalProperties: false }, body),
      true,
      `${line} ${status}: ${ajv.errorsText()}`
    )
  }
})

t.test('the feed answers as it says, to the examples of its parameters', async (t) => {
  const { parameters, responses } = named('GET /revocations')
  t.strictSame(
    parameters.map(({ name }: Operation) => name),
    ['after', 'wait', 'nonce']
  )
  for (const { name, example } of parameters) {
    const answer = await auth.send(lineOf({ wait: '0', [name]: example }), { token: FEED_TOKEN })
    t.equal(answer.status, 200, `${name}=${example}`)
    t.strictSame(Object.keys(responses[200].content), [answer.headers['content-type']])
  }
})

t.test('the page loads its own scripts alone, and may be framed by nobody', async (t) => {
  const page = await auth.send('GET /docs')
  t.equal(page.status, 200)
  t.match(page.headers, { 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff' })
  const policy = Object.fromEntries(
    String(page.headers['content-security-policy'])
      .split(';')
      .map((part) => part.trim().split(' '))
      .map(([name, ...sources]) => [name, sources.join(' ')])
  )
  t.match(policy, {
    'default-src': "'none'",
    'script-src': /^'self'$/,
    'connect-src': /^'self'$/,
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'"
  })
  t.notMatch(page.body, /<script(?![^>]*\ssrc=)[^>]*>\s*\S/i, 'no script stands in the page')
  for (const [, source = ''] of page.body.matchAll(/<(?:script|link)[^>]+(?:src|href)="([^"]+)"/g)) {
    const { pathname, origin } = new URL(source, 'http://here/docs/')
    t.equal(origin, 'http://here', source)
    t.equal((await auth.send(`GET ${pathname}`)).status, 200, source)
  }
})
