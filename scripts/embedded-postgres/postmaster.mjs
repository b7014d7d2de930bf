import { readFile, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandLine, identify } from './process-identity.mjs'

const patience = 60_000

/**
 * The port of the server that runs on the cluster, or undefined when none does. Waits while one starts up, recovers
 * or shuts down, and sees through a postmaster.pid whose process is a zombie or by now somebody else.
 *
 * @param {string} data
 * @returns {Promise<number | undefined>}
 */
export async function findServer(data) {
  const end = Date.now() + patience
  for (;;) {
    const file = path.join(data, 'postmaster.pid')
    const text = await readFile(file, 'utf8').catch(() => '')
    const [pid = 0, , , port = 0] = text.split('\n').map(Number)
    const status = text.split('\n')[7]?.trim()
    if (!(pid > 0)) return undefined
    const alive = await identify(pid)
    if (alive && status === 'ready' && (await speaksPostgres(port))) return port
    if (!alive || !(await commandLine(pid)).includes(data)) {
      await disown(file, text)
      return undefined
    }
    if (Date.now() > end) throw new Error(`PostgreSQL (process ${pid}) on ${data} neither answers nor ends.`)
    await sleep(50)
  }
}

/**
 * Puts a number that no process can have in the place of the dead server's, which a zombie or another process has.
 * The file itself has to stay: with it PostgreSQL finds out whether a child of the dead server still uses the memory
 * they shared, and then refuses to start.
 *
 * @param {string} file
 * @param {string} text
 */
async function disown(file, text) {
  await writeFile(file, text.replace(/^\d+/, '2147483647'))
}

/**
 * Asks for TLS, as every client may; only PostgreSQL answers with that one letter.
 *
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function speaksPostgres(port) {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', timeout: 5_000 })
    const end = (/** @type {boolean} */ answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('connect', () => socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])))
    socket.on('data', (bytes) => end(bytes.toString() === 'N' || bytes.toString() === 'S'))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    socket.on('timeout', () => end(false))
  })
}
