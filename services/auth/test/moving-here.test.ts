// The commands of docs/moving-here.md, on tables as the tutorial's service and GoTrue make them.
import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { createEmptyDatabase, runStatement } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { addAccounts, checkFile } from '../src/import/import-file.ts'
import { startAuth } from './app.ts'
import { OTHERS } from './foreign-hashes.ts'

const run = promisify(execFile)
const docs = await readFile(new URL('../../../docs/moving-here.md', import.meta.url), 'utf8')
const commands = [...docs.matchAll(/^```sh\n(psql .+?)^```/gms)].map(([, command = '']) => command)
const noPsql = (await run('psql', ['--version']).catch(() => undefined)) === undefined && 'no psql here'
const [{ hash: HASH, password: PASSWORD }] = OTHERS

const auth = await startAuth(t)

/** Runs the command of the docs that uses this variable, imports its file, and returns the rows. */
async function move(t: Test, variable: string, url: string): Promise<object[]> {
  const command = commands.find((text) => text.includes(`$${variable}`)) ?? ''
  const cwd = t.testdir()
  await run('sh', ['-c', `umask 077\n${command}`], { cwd, env: { PATH: process.env.PATH, [variable]: url } })
  const file = path.join(cwd, 'people.jsonl')
  t.equal((await stat(file)).mode & 0o077, 0, 'nobody else can read the file')
  const tell = { refused: (line: number, fault: string) => t.fail(`${line}: ${fault}`), progress: () => {} }
  const { accounts } = await checkFile(auth.database, file, tell)
  await addAccounts(auth.operator, file, { accounts, tell })
  return auth.database.query(
    `SELECT email, username, email_verified, created_at FROM users WHERE email LIKE $1 ORDER BY email`,
    [`%@${variable.split('_')[0]?.toLowerCase()}.example`]
  )
}

t.test('accounts of the tutorial move here', { skip: noPsql }, async (t) => {
  const url = await createEmptyDatabase(t)
  await runStatement(
    url,
    `CREATE TABLE users (
       id varchar(36) NOT NULL, email varchar(100) NOT NULL UNIQUE, username varchar(225), password varchar(225) NOT NULL,
       tokenhash varchar(15) NOT NULL, isverified boolean DEFAULT false, createdat timestamp NOT NULL,
       updatedat timestamp NOT NULL, PRIMARY KEY (id));
     INSERT INTO users VALUES
       ('1', 'ada@tutorial.example', 'Ada "the \\ first"', '${HASH}', 'x', true, '2021-03-04 05:06:07.89', now()),
       ('2', 'bob@tutorial.example', NULL, '${HASH}', 'x', false, '2021-03-04 05:06:07', now()),
       ('3', 'eve@tutorial.example', '  ', '${HASH}', 'x', NULL, '2021-03-04 05:06:07', now()),
       ('4', 'long@tutorial.example', repeat('ü', 100), '${HASH}', 'x', NULL, '2021-03-04 05:06:07', now())`
  )
  const created_at = new Date('2021-03-04T05:06:07Z')
  t.strictSame(await move(t, 'TUTORIAL_DATABASE_URL', url), [
    {
      email: 'ada@tutorial.example',
      username: 'Ada "the \\ first"',
      email_verified: true,
      created_at: new Date('2021-03-04T05:06:07.890Z')
    },
    { email: 'bob@tutorial.example', username: 'bob', email_verified: false, created_at },
    { email: 'eve@tutorial.example', username: 'eve', email_verified: false, created_at },
    { email: 'long@tutorial.example', username: 'ü'.repeat(64), email_verified: false, created_at }
  ])
  const body = { email: 'ada@tutorial.example', password: PASSWORD }
  t.equal((await auth.send('POST /login', { body })).status, 200)
})

t.test('accounts of GoTrue move here', { skip: noPsql }, async (t) => {
  const url = await createEmptyDatabase(t)
  const hash = `'${HASH}'`
  // The columns of its migrations that the command uses, with their types and defaults.
  await runStatement(
    url,
    `CREATE SCHEMA auth;
     CREATE TABLE auth.users (
       id uuid NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(), email varchar(255), encrypted_password varchar(255),
       email_confirmed_at timestamptz, raw_user_meta_data jsonb, created_at timestamptz, banned_until timestamptz,
       deleted_at timestamptz, is_sso_user boolean NOT NULL DEFAULT false, is_anonymous boolean NOT NULL DEFAULT false);
     INSERT INTO auth.users (email, encrypted_password, email_confirmed_at, raw_user_meta_data, created_at, banned_until, deleted_at, is_sso_user, is_anonymous) VALUES
       ('ada@gotrue.example', ${hash}, now(), '{"full_name": "Ada L", "user_name": "ada"}', '2022-01-02 03:04:05+02', NULL, NULL, false, false),
       ('bob@gotrue.example', ${hash}, NULL, '{}', '2022-01-02 03:04:05+02', '2022-02-02', NULL, false, false),
       ('cleo@gotrue.example', ${hash}, NULL, NULL, '2022-01-02 03:04:05+02', NULL, NULL, false, false),
       ('banned@gotrue.example', ${hash}, now(), '{}', now(), 'infinity', NULL, false, false),
       ('gone@gotrue.example', ${hash}, now(), '{}', now(), NULL, now(), false, false),
       ('sso@gotrue.example', ${hash}, now(), '{}', now(), NULL, NULL, true, false),
       ('oauth@gotrue.example', '', now(), '{}', '2022-01-02 03:04:05+02', NULL, NULL, false, false),
       ('invited@gotrue.example', '$argon2id$v=19$x', NULL, '{}', '2022-01-02 03:04:05+02', NULL, NULL, false, false),
       (NULL, ${hash}, NULL, '{}', now(), NULL, NULL, false, false),
       ('', '', NULL, '{}', now(), NULL, NULL, false, true)`
  )
  const created_at = new Date('2022-01-02T01:04:05Z')
  t.strictSame(await move(t, 'GOTRUE_DATABASE_URL', url), [
    { email: 'ada@gotrue.example', username: 'Ada L', email_verified: true, created_at },
    { email: 'bob@gotrue.example', username: 'bob', email_verified: false, created_at },
    { email: 'cleo@gotrue.example', username: 'cleo', email_verified: false, created_at },
    { email: 'invited@gotrue.example', username: 'invited', email_verified: false, created_at },
    { email: 'oauth@gotrue.example', username: 'oauth', email_verified: true, created_at }
  ])
  const body = { email: 'bob@gotrue.example', password: PASSWORD }
  t.equal((await auth.send('POST /login', { body })).status, 200)
})
