// Lets Schemathesis make requests from /openapi.json, good ones and bad ones, and compare the answers with it.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createDatabase, runStatement, serviceUrl } from '@latchkey/testing/database'
import type { Test } from 'tap'
import { type Service, startPair } from '../pair.ts'
import { isInstalled, makeFolder, TOOLS } from './tools.ts'

/** Why a test is skipped, if it is. */
export const SKIPPED = isInstalled('schemathesis') ? false : 'test/interop/install.sh has not installed schemathesis'

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
]

/** The folder of our own check. */
const HOOKS = fileURLToPath(new URL('tools', import.meta.url))

/** The same requests in each run: each example, and each limit of each field from both sides. */
const SIZE = ['--seed', '1', '--phases', 'examples,coverage']

/** What signup and login answer. */
export interface Answer {
  readonly id: string
  readonly access_token: string
  readonly refresh_token: string
}

/** Both services, and an administrator who may log in. */
export interface Place {
  readonly auth: Service
  readonly resource: Service
  ask(path: string, body: object): Promise<Answer>
  logIn(more?: object): Promise<Answer>
  /** A token that is for administration. */
  administration(): Promise<string>
}

const PERSON = { email: 'tester@example.com', password: 'a lamp in the window' }

/** Starts the services, and signs an administrator up. */
export async function startPlace(t: Test): Promise<Place> {
  const database = await createDatabase(t)
  const { auth, resource } = await startPair(
    t,
    { RATE_LIMIT_PER_MINUTE: '0', LOG_LEVEL: 'warn' },
    { auth: { DATABASE_URL: await serviceUrl(database) } }
  )
  const ask = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(auth.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
    return (await answer.json()) as Answer
  }
  const logIn = (more = {}) => ask('/login', { ...PERSON, ...more })
  const administration = async () => (await logIn({ resource: auth.url })).access_token
  await ask('/signup', { ...PERSON, username: 'Tester' })
  await runStatement(database, "UPDATE users SET roles = '{user,admin}'")
  return { auth, resource, ask, logIn, administration }
}

interface Run {
  readonly url: string
  readonly token: string
  readonly chosen?: string[]
  /** A schemathesis.toml. */
  readonly config?: string
  /** Checks that do not fit these operations. */
  readonly without?: string[]
}

/**
 * Lets Schemathesis try a service with a token, and asserts that it complains of nothing. Returns the operations that
 * answered nothing but 401 and 403.
 */
export async function refusedIn(
  t: Test,
  { url, token, chosen = [], config = '', without = [] }: Run
): Promise<string[]> {
  const cwd = await makeFolder(t)
  await writeFile(join(cwd, 'schemathesis.toml'), config)
  const checks = CHECKS.filter((check) => !without.includes(check)).join()
  const args = ['run', `${url}/openapi.json`, '--header', `Authorization: Bearer ${token}`, '--checks', checks]
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

/** Arguments that take or leave out the operations of these ids. */
export function choose(flag: 'include' | 'exclude', names: readonly string[]): string[] {
  return names.flatMap((name) => [`--${flag}-operation-id`, name])
}
