import type { Acting } from '@latchkey/audit/acting'
import { createRefusals, type Refusals } from '@latchkey/audit/refusals'
import { type Database, openDatabase } from '@latchkey/database/pool'
import type { App } from '@latchkey/frame/app-type'
import { createLogger } from '@latchkey/frame/logger'
import { createDatabase, serviceUrl } from '@latchkey/testing/database'
import type { Answer } from '@latchkey/testing/problem'
import type { Test } from 'tap'
import { buildApp } from '../src/app.ts'
import { authConfig, type Config } from '../src/config.ts'
import type { Keys } from '../src/keys/folder.ts'
import { openMail } from '../src/mail/open.ts'
import { NO_OUTBOX, type Outbox } from '../src/mail/outbox.ts'
import type { HashPool } from '../src/passwords/hash-pool.ts'
import { directPool } from './hash-pool.ts'
import { testKeys } from './keys.ts'

export const ISSUER = 'https://auth.example.com'
export const AUDIENCE = 'latchkey'
export const PASSWORD = 'a quiet harbour at dawn'

/** The least that bcrypt knows; the settings allow no less than 10. */
const COST = 4

/** One line of the log. */
export type Line = Record<string, unknown> & { level: string; msg: string; request_id?: string }

/** What a request may have besides method and path. A `body` that is no text or bytes is sent as JSON. */
export interface Sending {
  readonly token?: string | undefined
  readonly body?: unknown
  readonly headers?: Record<string, string | string[]>
  readonly from?: string
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

/** Somebody who signed up and logged in. */
export interface Person extends Tokens {
  readonly id: string
  readonly email: string
  readonly username: string
  readonly password: string
}

/** The real app on a real database, and what a test looks at. */
export interface Auth {
  readonly app: App
  readonly config: Config
  readonly database: Database<string>
  /** Acts as a command of npm run admin. */
  readonly operator: Acting
  readonly keys: Keys
  readonly outbox: Outbox
  readonly refusals: Refusals
  /** Stops to send mail, as the process does at its stop. */
  closeMail(): Promise<void>
  /** What was logged so far, parsed. */
  readonly lines: Line[]
  /** Sends a request as in `send('POST /login', { body })`. */
  send(line: string, sending?: Sending): Promise<Answer>
  /** Makes an account and logs it in; each call another address. */
  person(own?: Partial<Pick<Person, 'email' | 'username' | 'password'>>): Promise<Person>
  /** Opens one more session of a person. */
  login(person: Pick<Person, 'email' | 'password'>): Promise<Tokens>
}

/** What a test may put in the place of the usual. */
export interface Options {
  readonly env?: Record<string, string>
  readonly cost?: number
  readonly keys?: Keys
  readonly hashPool?: HashPool
  readonly now?: () => number
}

/**
 * Builds the auth service for a test, and closes it at its end. With SMTP_URL it sends mail. Hashing happens on the spot, at the lowest cost. */
export async function startAuth(
  t: Test,
  { env, cost = COST, keys, hashPool = directPool(), now = Date.now }: Options = {}
): Promise<Auth> {
  const settings = authConfig({
    ISSUER,
    AUDIENCE,
    KEYS_DIR: 'not used here',
    DATABASE_URL: env?.['DATABASE_URL'] ?? (await serviceUrl(await createDatabase(t))),
    RATE_LIMIT_PER_MINUTE: '0',
    // A test that is about time says so; on a machine with other work to do an answer may take longer than by default.
    ANSWER_TIMEOUT: '60s',
    PASSWORD_TIMEOUT: '60s',
    ...env
  })
  const config = { ...settings, BCRYPT_COST: cost }
  const lines: Line[] = []
  const logger = await createLogger('auth', config, { write: (line: string) => lines.push(JSON.parse(line)) })
  const database = openDatabase(config, (error) => logger.warn({ err: error }, 'an idle database connection was lost'))
  const mail = env?.['SMTP_URL']
    ? await openMail(config, database, logger)
    : { outbox: NO_OUTBOX, close: async () => {} }
  const { outbox } = mail
  const refusals = createRefusals({ database, log: logger })
  const parts = { database, keys: keys ?? (await testKeys()), hashPool, outbox, refusals, logger, now }
  const app = await buildApp(config, parts)
  t.teardown(async () => {
    await app.close()
    await mail.close()
    await refusals.close()
    await database.close()
  })

  const send: Auth['send'] = async (line, { token, body, headers = {}, from } = {}) => {
    const [method = '', url = ''] = line.split(' ')
    const raw = typeof body === 'string' || Buffer.isBuffer(body)
    const response = await app.inject({
      method: method as 'GET',
      url,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body !== undefined && { payload: raw ? body : JSON.stringify(body) }),
      ...(from !== undefined && { remoteAddress: from })
    })
    const isJson = /\bjson\b/.test(String(response.headers['content-type']))
    return {
      status: response.statusCode,
      headers: response.headers as Answer['headers'],
      body: isJson && response.body ? response.json() : response.body
    }
  }

  const login: Auth['login'] = async ({ email, password }) =>
    expect(200, await send('POST /login', { body: { email, password } }))

  let people = 0
  const person: Auth['person'] = async (own = {}) => {
    people += 1
    const account = { email: `person${people}@example.com`, username: `Person ${people}`, password: PASSWORD, ...own }
    const { id } = expect(201, await send('POST /signup', { body: account }))
    return { id, ...account, ...(await login(account)) }
  }

  const operator = { database, log: logger, command: 'test' }
  return { app, ...parts, operator, closeMail: mail.close, config, lines, send, person, login }
}

// What a test needs before it begins is no assertion of its own, but it must not go on without.
function expect(status: number, answer: Answer): Answer['body'] {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}
