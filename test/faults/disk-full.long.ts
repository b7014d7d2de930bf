import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runStatement } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { type DatabaseServer, startDatabase } from './database-server.ts'
import { everyAnswerIsClean, type History, recordHistory, recovers, UNFORESEEN, WITHOUT_DATABASE } from './history.ts'

const run = promisify(execFile)
/** Signups until the last free page must be full: a hundred rows fit into each of a few. */
const MOST_SIGNUPS = 1000
const PASSWORD = 'a quiet harbour at dawn'

const noMounting = await whyNoMounting()

await buildFirst()

t.test('the disk of the tables is full: what needs room is 503, the rest goes on', { skip: noMounting }, async (t) => {
  const database = await startDatabase(t)
  const disk = await mountDisk(t, join(database.folder, 'small'), { megabytes: 24, like: database.folder })
  await database.run(`CREATE TABLESPACE small LOCATION '${disk.folder}'`)
  await moveTo(database, 'small')
  const { auth, resource } = await startPair(t, { DATABASE_URL: database.url, RATE_LIMIT_PER_MINUTE: '0' })
  t.teardown(() => database.stop())
  const history = recordHistory(() => auth.url)
  const { send } = history
  const { told, next, untilRefused } = signups(history)
  await next()
  const { body: tokens } = await send('POST /login', { body: { email: told[0], password: PASSWORD } })
  const token = tokens['access_token']

  await disk.fill()
  await untilRefused(t)
  for (const line of ['GET /me', 'GET /readyz', ...WITHOUT_DATABASE]) {
    t.equal((await send(line, { token })).status, 200, line)
  }
  t.equal((await recordHistory(() => resource.url).send('GET /greet', { token })).status, 200)

  await disk.free()
  await recovers(t, next)
  await everybodyIsThere(t, history, told)
  everyAnswerIsClean(t, history.operations)
  t.notMatch(auth.output(), UNFORESEEN)
})

t.test('the disk of the log of changes is full, and PostgreSQL gives up', { skip: noMounting }, async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'latchkey-disk-'))
  const disk = await mountDisk(t, place, { megabytes: 128 })
  const database = await startDatabase(t, place)
  const { auth } = await startPair(t, { DATABASE_URL: database.url, RATE_LIMIT_PER_MINUTE: '0' })
  const history = recordHistory(() => auth.url)
  const { told, next, untilRefused } = signups(history)
  await next()

  await disk.fill()
  // The rest of a segment of the log is 16 MB, and a new one has no room.
  for (let i = 0; i < 3; i += 1) await database.run('SELECT pg_switch_wal()').catch(() => {})
  await untilRefused(t)
  for (const line of WITHOUT_DATABASE) t.equal((await history.send(line)).status, 200, line)

  await disk.free()
  await database.stop()
  await database.start()
  await recovers(t, () => history.send('GET /readyz'))
  t.equal((await next()).status, 201)
  await everybodyIsThere(t, history, told)
  everyAnswerIsClean(t, history.operations)
  t.notMatch(auth.output(), UNFORESEEN)
})

// One person after the other; `told` are those whose signup was acknowledged.
function signups({ send }: History) {
  const told: string[] = []
  let count = 0
  const next = async () => {
    count += 1
    const email = `person${count}@example.com`
    const signup = await send('POST /signup', { body: { email, username: 'Person', password: PASSWORD } })
    if (signup.status === 201) told.push(email)
    return signup
  }
  const untilRefused = async (t: Test) => {
    const refused: number[] = []
    while (told.length < MOST_SIGNUPS && refused.length < 3) {
      const { status } = await next()
      if (status !== 201) refused.push(status)
    }
    t.strictSame(refused, [503, 503, 503], `refused after ${told.length} signups`)
  }
  return { told, next, untilRefused }
}

async function everybodyIsThere(t: Test, { send }: History, emails: readonly string[]): Promise<void> {
  const missing = []
  // The last ones are those of the last free page.
  for (const email of [...emails.slice(0, 3), ...emails.slice(-20)]) {
    const { status } = await send('POST /login', { body: { email, password: PASSWORD } })
    if (status !== 200) missing.push(`${email}: ${status}`)
  }
  t.strictSame(missing, [], `of ${emails.length} who were told that they have an account, the last are there`)
}

async function moveTo({ run, url }: DatabaseServer, tablespace: string): Promise<void> {
  const name = new URL(url).pathname.slice(1)
  await runStatement(new URL('/postgres', url).href, `ALTER DATABASE ${name} SET TABLESPACE ${tablespace}`)
  await run('SELECT 1')
}

/** A disk in memory, with so much room in all; gone when the test ends. */
async function mountDisk(t: Test, folder: string, { megabytes, like }: { megabytes: number; like?: string }) {
  await mkdir(folder, { recursive: true })
  const owner = like && (await stat(like))
  const whose = owner ? `,uid=${owner.uid},gid=${owner.gid}` : ''
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700${whose}`, 'tmpfs', folder])
  t.teardown(async () => {
    await run('umount', ['-l', folder])
    await rm(folder, { recursive: true, force: true })
  })
  const filler = join(folder, 'filler')
  return {
    folder,
    fill: async () => {
      const file = await open(filler, 'w')
      const full = (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error
        return undefined
      }
      for (const size of [1 << 20, 1 << 12]) {
        const bytes = Buffer.alloc(size, 'x')
        while (await file.write(bytes).catch(full)) {}
      }
      await file.close()
    },
    free: () => rm(filler)
  }
}

async function whyNoMounting(): Promise<string | false> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-mount-'))
  try {
    await run('mount', ['-t', 'tmpfs', 'tmpfs', folder])
    await run('umount', [folder])
    return false
  } catch (error) {
    return `a full disk needs the right to mount one: ${error instanceof Error ? error.message : error}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
