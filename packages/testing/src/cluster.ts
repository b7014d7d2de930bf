import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** What test/before.ts made for the test files of one run of tap. */
export interface Cluster {
  /** may create databases */
  url: string
  /** the database that has the schema and is copied for each test file */
  template: string
  /** the same with the schema of the chat */
  chatTemplate: string
  /** the user that the services connect as: no owner, it only reads and writes rows */
  service: { user: string; password: string }
  /** where the embedded server lies; absent: TEST_DATABASE_URL names a server that is not ours */
  folder?: string
}

// Tap hands nothing from `before` to the test files, so it goes through a file. Before, after and the test files are
// children of one tap, whose number keeps two runs in one checkout apart.
const notes = fileURLToPath(new URL('../../../.tap/latchkey', import.meta.url))
const noteOf = (tap: number) => path.join(notes, `${tap}.json`)

export async function announceCluster(cluster: Cluster): Promise<void> {
  await mkdir(notes, { recursive: true })
  await writeFile(noteOf(process.ppid), JSON.stringify(cluster), { mode: 0o600 })
}

export async function currentCluster(tap = process.ppid): Promise<Cluster> {
  try {
    return JSON.parse(await readFile(noteOf(tap), 'utf8'))
  } catch (cause) {
    throw new Error('No test database: run this file with tap (npx tap FILE), whose test/before.ts makes one.', {
      cause
    })
  }
}

export async function forgetCluster(tap = process.ppid): Promise<void> {
  await rm(noteOf(tap), { force: true })
}

/** The runs of tap that were killed before their test/after.ts. */
export async function deadRuns(): Promise<number[]> {
  const names = await readdir(notes).catch(() => [])
  return names.map((name) => Number.parseInt(name, 10)).filter((tap) => !isAlive(tap))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
