// Schemathesis makes requests from /openapi.json, good ones and bad ones, and compares the answers with it.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createDatabase, runStatement, serviceUrl } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { claimsOf } from '../../services/auth/test/tokens.ts'
import { startPair } from '../pair.ts'
import { isInstalled, makeFolder, TOOLS } from './tools.ts'

const skip = isInstalled('schemathesis') ? false : 'test/interop/install.sh has not installed schemathesis'

/**
 * All of its checks but those that do not fit: which good passwords are refused as too common no schema can say, and an id that
 * it makes up is never there.
 */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
  'allow_header_conformance',
  'missing_required_header',
  'ignored_auth',
  // Ours: tools/documented_headers.py.
  'documented_headers'
].join()

/** The folder of our own check. */
const HOOKS = fileURLToPath(new URL('tools', import.meta.url))

/** The same requests in each run: each example, and each limit of each field from both sides. */
const SIZE = ['--seed', '1', '--phases', 'examples,coverage']

// Operations by the token that they are tried with; all others take an administrator's.
const WITH_REFRESH_TOKEN = ['refreshTokenByGet', 'refreshToken', 'logOut']
/** Wrong passwords, and an end of all sessions: few of these requests find the token still good. */
const LAST = ['deleteMe', 'changePassword', 'logOutEverywhere']
/** Schemathesis remembers ids of earlier answers. With the administrator's own these would end what the others need. */
const ENDS_SESSIONS = ['endUserSessions', 'disableUser', 'deleteUser', 'endSession']

/** What signup and login answer. */
interface Answer {
  readonly id: string
  readonly access_token: string
  readonly refresh_token: string
}

const person = { email: 'tester@example.com', password: 'a lamp in the window' }

t.test('everything that the services answer is in their OpenAPI documents', { skip }, async (t) => {
  const database = await createDatabase(t)
  const { auth, resource } = await startPair(
    t,
    { RATE_LIMIT_PER_MINUTE: '0', LOG_LEVEL: 'warn' },
    { auth: { DATABASE_URL: await serviceUrl(database) } }
  )
  const ask = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(auth.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    t.match(answer.status, /^20[01]$/, path)
    return (await answer.json()) as Answer
  }
  const logIn = (more = {}) => ask('/login', { ...person, ...more })
  const administration = async () => (await logIn({ resource: auth.url })).access_token
  await ask('/signup', { ...person, username: 'Tester' })
  await runStatement(database, "UPDATE users SET roles = '{user,admin}'")

  await t.test('those that leave the session as it is', async (t) => {
    const token = await administration()
    const others = choose('exclude', [...WITH_REFRESH_TOKEN, ...LAST, ...ENDS_SESSIONS])
    t.strictSame(await refusedIn(t, { url: auth.url, token, chosen: others }), [])
  })

  await t.test('those that end sessions, each of somebody else', async (t) => {
    const ids: Record<string, string> = { endSession: String(claimsOf((await logIn()).access_token)['sid']) }
    for (const name of ENDS_SESSIONS.filter((name) => name !== 'endSession')) {
      ids[name] = (await ask('/signup', { ...person, email: `${name}@example.com`, username: name })).id
    }
    const config = ENDS_SESSIONS.map(
      (name) => `[[operations]]\ninclude-operation-id = "${name}"\nparameters = { "path.id" = "${ids[name]}" }\n`
    ).join('')
    const token = await administration()
    const chosen = choose('include', ENDS_SESSIONS)
    t.strictSame(await refusedIn(t, { url: auth.url, token, chosen, config }), [])
  })

  await t.test('those that take a refresh token', async (t) => {
    const { refresh_token: token } = await logIn()
    await refusedIn(t, { url: auth.url, token, chosen: choose('include', WITH_REFRESH_TOKEN) })
  })

  await t.test('those that take a password, and the end of all sessions', async (t) => {
    const { access_token: token } = await logIn()
    const refused = await refusedIn(t, { url: auth.url, token, chosen: choose('include', LAST) })
    t.strictSame(refused, ['DELETE /me', 'POST /change-password'], 'nobody makes up the right password')
  })

  await t.test('the resource service', async (t) => {
    const { access_token: token } = await logIn()
    t.strictSame(await refusedIn(t, { url: resource.url, token }), [])
  })
})

interface Run {
  readonly url: string
  readonly token: string
  readonly chosen?: string[]
  /** A schemathesis.toml. */
  readonly config?: string
}

/**
 * Lets Schemathesis try a service with a token, and asserts that it complains of nothing. Returns the operations that
 * answered nothing but 401 and 403.
 */
async function refusedIn(t: Test, { url, token, chosen = [], config = '' }: Run): Promise<string[]> {
  const cwd = await makeFolder(t)
  await writeFile(join(cwd, 'schemathesis.toml'), config)
  const args = ['run', `${url}/openapi.json`, '--header', `Authorization: Bearer ${token}`, '--checks', CHECKS]
  const env = {
    ...process.env,
    PYTHONPATH: HOOKS,
    PYTHONDONTWRITEBYTECODE: '1',
    SCHEMATHESIS_HOOKS: 'documented_headers'
  }
  const options = { cwd, env, maxBuffer: 16 * 1024 * 1024 }
  const program = join(TOOLS, 'schemathesis/bin/schemathesis')
  const { stdout, status } = await promisify(execFile)(program, [...args, ...SIZE, '--no-color', ...chosen], options)
    .then((said) => ({ ...said, status: 0 }))
    .catch((error) => ({ stdout: String(error.stdout || error), status: error.code }))
  const end = stdout.slice(stdout.search(/={3,} (FAILURES|ERRORS|SUMMARY|WARNINGS) ={3,}/))
  t.equal(status, 0, end)
  t.match(end, /\d+ generated, \d+ passed/)
  const listed = /^Authentication failed:.*\n([^💡]*)/mu.exec(end)?.[1] ?? ''
  return listed.split('\n').flatMap((line) => /[A-Z]+ \/.*/.exec(line) ?? [])
}

function choose(flag: 'include' | 'exclude', names: readonly string[]): string[] {
  return names.flatMap((name) => [`--${flag}-operation-id`, name])
}
