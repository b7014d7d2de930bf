import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { identify } from './process-identity.mjs'

/**
 * Writes a note into the folder that this process runs its cluster. So a second process does not stop the server of the
 * first. A note is ignored if its writer has ended.
 *
 * @param {string} folder
 * @returns {Promise<() => Promise<void>>} takes the note away
 * @throws when another living process holds it
 */
export async function claim(folder) {
  const note = path.join(folder, 'starter')
  const draft = `${note}.${process.pid}.half`
  await rm(draft, { force: true })
  await writeFile(draft, await noteOf(process.pid), { flag: 'wx', mode: 0o600 })
  try {
    // A link appears whole or not at all, and only where there was none.
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const taken = await link(draft, note).then(
        () => true,
        (/** @type {NodeJS.ErrnoException} */ error) => {
          if (error.code === 'EEXIST') return false
          throw error
        }
      )
      if (taken) return () => rm(note, { force: true })
      await removeIfDead(note)
    }
    throw new Error(`Cannot claim ${folder}: others keep claiming it.`)
  } finally {
    await rm(draft, { force: true })
  }
}

/** @param {string} note */
async function removeIfDead(note) {
  const text = await readFile(note, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const pid = Number.parseInt(text, 10)
  if (text === (await noteOf(pid))) {
    throw new Error(
      `The database in ${path.dirname(note)} is in use by process ${pid}: stop that first, or set DATA_DIR to another folder.`
    )
  }
  // Moves the note instead of removing it. If a third process was quicker, this moves its note, and then moves it back.
  const dead = `${note}.${process.pid}.dead`
  await rename(note, dead).catch(() => undefined)
  const moved = await readFile(dead, 'utf8').catch(() => undefined)
  if (moved !== undefined && moved !== text) await link(dead, note)
  await rm(dead, { force: true })
}

/** What the note of a process says: its number, and which of all that ever have it. @param {number} pid */
const noteOf = async (pid) => `${pid} ${(await identify(pid))?.began}`
