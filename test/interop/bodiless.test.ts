// Requests without a body, sent by the clients that people use, each with the type and the framing that it chooses itself: straight
// to the auth service, and through proxies that speak HTTP/2 with TLS to the client.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { freePort } from '../../scripts/free-port.mjs'
import { startAuth } from '../../services/auth/test/app.ts'
import { claimsOf } from '../../services/auth/test/tokens.ts'
import { type Bodiless, CLIENTS, type Client, isThere, viaCurl, viaHttp2, viaHttpx } from './bodiless/clients.ts'
import { findProgram, makeFolder, startProgram } from './tools.ts'

const run = promisify(execFile)
const auth = await startAuth(t)
const port = await freePort()
await auth.app.listen({ port, host: '127.0.0.1' })

/** Ends a session of somebody new by each route, with no body and with an empty one, and sees that it is over. */
async function endsSessions(t: Test, client: Client, url: string): Promise<void> {
  const cases: { request: Bodiless; refresh: string }[] = []
  for (const mode of ['none', 'empty'] as const) {
    for (const route of ['POST /logout', 'POST /logout-everywhere', 'DELETE /sessions/:id']) {
      const { access_token: access, refresh_token: refresh } = await auth.person()
      const [method = '', path = ''] = route.replace(':id', String(claimsOf(access)['sid'])).split(' ')
      const token = route === 'POST /logout' ? refresh : access
      cases.push({ request: { method, url: `${url}${path}`, token, mode }, refresh })
    }
  }
  const statuses = await client(cases.map(({ request }) => request))
  for (const [i, { request, refresh }] of cases.entries()) {
    const what = `${request.method} ${new URL(request.url).pathname.replace(/[\da-f-]{36}/, ':id')}, ${request.mode}`
    t.equal(statuses[i], 204, what)
    t.equal((await auth.send('POST /refresh-token', { token: refresh })).status, 401, `${what}: the session is over`)
  }
}

for (const [name, { client, needs }] of Object.entries(CLIENTS)) {
  const skip = isThere(needs) ? false : `${needs} is not installed`
  t.test(`${name} logs out without a body`, { skip }, (t) => endsSessions(t, client, `http://127.0.0.1:${port}`))
}

const PROXIES = {
  nginx: {
    program: findProgram('nginx'),
    args: ['-p', '.', '-c', 'proxy.conf', '-e', 'stderr', '-g', 'daemon off; pid nginx.pid;'],
    // What is not buffered goes on in chunks where the client told no length.
    settings: (at: number) => `events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:${at} ssl http2;
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_request_buffering off;
    }
  }
}`
  },
  Caddy: {
    program: findProgram('caddy'),
    args: ['run', '--config', 'proxy.conf', '--adapter', 'caddyfile'],
    settings: (at: number) => `{
	admin off
	auto_https off
}
https://127.0.0.1:${at} {
	tls cert.pem key.pem
	reverse_proxy 127.0.0.1:${port}
}`
  }
}

for (const [name, { program, args, settings }] of Object.entries(PROXIES)) {
  const skip = program && findProgram('openssl') ? false : `${name} or openssl is not installed`
  t.test(`behind ${name}, clients of HTTP/2 log out without a body`, { skip }, async (t) => {
    const folder = await makeFolder(t)
    const at = await freePort()
    const certificate = [
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'key.pem',
      '-out',
      'cert.pem',
      '-days',
      '2'
    ]
    const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    await run('openssl', ['req', ...certificate, ...names], { cwd: folder })
    await writeFile(join(folder, 'proxy.conf'), settings(at))
    await startProgram(t, [String(program), ...args], at, { cwd: folder, env: { ...process.env, HOME: folder } })
    const url = `https://127.0.0.1:${at}`
    await t.test("Node's own", (t) => endsSessions(t, viaHttp2, url))
    await t.test('curl', { skip: !isThere('curl') }, (t) => endsSessions(t, viaCurl, url))
    await t.test('httpx', { skip: !isThere('python') }, (t) => endsSessions(t, viaHttpx, url))
  })
}
