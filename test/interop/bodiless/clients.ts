import { execFile } from 'node:child_process'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:http2'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { findProgram, isInstalled, TOOLS } from '../tools.ts'

const run = promisify(execFile)

/** A request without bytes: with no body at all, or with an empty text for one. */
export interface Bodiless {
  readonly method: string
  readonly url: string
  readonly token: string
  readonly mode: 'none' | 'empty'
}

/** Sends requests one after the other, and returns their statuses. */
export type Client = (requests: readonly Bodiless[]) => Promise<number[]>

const HERE = fileURLToPath(new URL('.', import.meta.url))
const inTools = createRequire(join(TOOLS, 'node/package.json'))
const load = (name: string) => import(pathToFileURL(inTools.resolve(name)).href)
const headersOf = ({ token }: Bodiless) => ({ authorization: `Bearer ${token}` })
const bodyOf = ({ mode }: Bodiless, name = 'body') => (mode === 'empty' ? { [name]: '' } : {})

function oneByOne(send: (request: Bodiless) => Promise<number>): Client {
  return async (requests) => {
    const statuses = []
    for (const request of requests) statuses.push(await send(request))
    return statuses
  }
}

function program(...command: readonly string[]): Client {
  const [name = '', ...args] = command
  return async (requests) => {
    const list = requests.flatMap(({ method, url, token, mode }) => [method, url, token, mode])
    const { stdout } = await run(name, [...args, ...list], { cwd: HERE })
    return stdout.trim().split('\n').map(Number)
  }
}

const viaHttp = oneByOne(
  (it) =>
    new Promise((resolve, reject) => {
      const request = httpRequest(it.url, { method: it.method, headers: headersOf(it) }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
      }).on('error', reject)
      // Without a length it is sent in chunks, of which there are none.
      if (it.mode === 'empty') request.setHeader('transfer-encoding', 'chunked')
      request.end()
    })
)

/** Node's own HTTP/2: of a POST it says that a body follows, and then sends an empty one. */
export const viaHttp2 = oneByOne(async ({ method, url, token, mode }) => {
  const { origin, pathname } = new URL(url)
  const session = connect(origin, { rejectUnauthorized: false })
  try {
    return await new Promise<number>((resolve, reject) => {
      const headers = { ':method': method, ':path': pathname, authorization: `Bearer ${token}` }
      const stream = session.request(headers, { endStream: mode === 'none' })
      session.on('error', reject)
      stream.on('error', reject).on('response', (answer) => resolve(Number(answer[':status'])))
      stream.resume()
      if (mode === 'empty') stream.end('')
    })
  } finally {
    session.close()
  }
})

/** curl as people call it; the type is the one that curl chooses. */
export const viaCurl = oneByOne(async ({ method, url, token, mode }) => {
  const silent = ['-sk', '--http2', '-o', '/dev/null', '-w', '%{http_code}', '-H', `Authorization: Bearer ${token}`]
  const { stdout } = await run('curl', [...silent, '-X', method, ...(mode === 'empty' ? ['-d', ''] : []), url])
  return Number(stdout)
})

const python = join(TOOLS, 'python/bin/python')

/** Python's clients; httpx speaks HTTP/2 where the server does. */
export const viaHttpx = program(python, 'client.py', 'httpx')

/** Each client, and the tool of test/interop/install.sh or the program that it needs. */
export const CLIENTS: Readonly<Record<string, { readonly client: Client; readonly needs?: string }>> = {
  'the fetch of Node': {
    client: oneByOne(
      async (it) => (await fetch(it.url, { method: it.method, headers: headersOf(it), ...bodyOf(it) })).status
    )
  },
  'node:http': { client: viaHttp },
  axios: {
    needs: 'node',
    client: oneByOne(async (it) => {
      const { default: axios } = await load('axios')
      const { method, url } = it
      return (await axios.request({ method, url, headers: headersOf(it), ...bodyOf(it, 'data'), validateStatus: null }))
        .status
    })
  },
  got: {
    needs: 'node',
    client: oneByOne(async (it) => {
      const { got } = await load('got')
      const options = { method: it.method, headers: headersOf(it), ...bodyOf(it), throwHttpErrors: false }
      return (await got(it.url, options)).statusCode
    })
  },
  ky: {
    needs: 'node',
    client: oneByOne(async (it) => {
      const { default: ky } = await load('ky')
      return (await ky(it.url, { method: it.method, headers: headersOf(it), ...bodyOf(it), throwHttpErrors: false }))
        .status
    })
  },
  undici: {
    needs: 'node',
    client: oneByOne(async (it) => {
      const { request } = await load('undici')
      const { statusCode, body } = await request(it.url, { method: it.method, headers: headersOf(it), ...bodyOf(it) })
      await body.dump()
      return statusCode
    })
  },
  'node-fetch': {
    needs: 'node',
    client: oneByOne(async (it) => {
      const { default: nodeFetch } = await load('node-fetch')
      return (await nodeFetch(it.url, { method: it.method, headers: headersOf(it), ...bodyOf(it) })).status
    })
  },
  'requests of Python': { needs: 'python', client: program(python, 'client.py', 'requests') },
  'httpx of Python': { needs: 'python', client: viaHttpx },
  'aiohttp of Python': { needs: 'python', client: program(python, 'client.py', 'aiohttp') },
  'net/http of Go': { needs: 'go', client: program('go', 'run', 'client.go') },
  'java.net.http': { needs: 'java', client: program('java', 'Client.java') },
  curl: { needs: 'curl', client: viaCurl }
}

/** Tells whether a tool or a program is there. */
export function isThere(name: string | undefined): boolean {
  return name === undefined || isInstalled(name) || (name === 'curl' && findProgram(name) !== undefined)
}
