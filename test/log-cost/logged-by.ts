import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '../pair.ts'
import { type Bytes, request } from './worst-requests.ts'

/** Sends bytes on a connection of their own, and returns when the service has ended it. */
export async function sendBytes({ url }: Service, bytes: Bytes): Promise<string> {
  let answer = ''
  const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('latin1')
  socket.on('data', (text) => (answer += text)).on('error', () => {})
  socket.write(bytes, 'latin1')
  await once(socket, 'close')
  return answer
}

/** The lines that a service has logged because of something, and perhaps because of what happened meanwhile. */
export async function loggedBy(service: Service, something: () => Promise<unknown>): Promise<string[]> {
  const before = service.output().length
  await something()
  // A request with an id of its own in its path comes after it; when its lines are there, so are those before.
  const id = randomUUID()
  await sendBytes(service, request(`GET /${id}`))
  const lines = () => service.output().slice(before).split('\n').slice(0, -1)
  const own = () => lines().find((line) => line.includes(id))
  for (const end = Date.now() + 20_000; own() === undefined; await sleep(5)) {
    if (Date.now() > end) throw new Error(`nothing was logged of ${id}:\n${lines().join('\n')}`)
  }
  const { request_id } = JSON.parse(own() ?? '')
  return lines().filter((line) => !line.includes(request_id))
}
