// The configurations for gateways of docs/verify-elsewhere.md, each before an application that tells what it was sent.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { freePort } from '../../scripts/free-port.mjs'
import { startResource } from '../../services/resource/test/app.ts'
import { snippet, uncheckedByPage } from './snippets.ts'
import { AUDIENCE, startIssuer, USERNAME } from './tokens.ts'
import { findProgram, isInstalled, makeFolder, startProgram, TOOLS, until } from './tools.ts'

/** How a gateway is run, and what the application learns from it. */
interface Gateway {
  readonly program: string | undefined
  readonly args: readonly string[]
  readonly files: readonly string[]
  /** Asks the resource service, and so hands on all four headers. */
  readonly asksGate?: true
  /** As the page's last table calls it. */
  readonly row?: string
}

const ofPython = (name: string) => (isInstalled('python') ? join(TOOLS, 'python/bin', name) : undefined)

const GATEWAYS: Record<string, Gateway> = {
  nginx: {
    program: findProgram('nginx'),
    args: ['-p', '.', '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off; pid nginx.pid;'],
    files: ['nginx.conf'],
    asksGate: true
  },
  Caddy: {
    program: findProgram('caddy'),
    args: ['run', '--config', 'Caddyfile'],
    files: ['Caddyfile'],
    asksGate: true
  },
  Traefik: {
    program: ofPython('traefik'),
    args: ['--configFile=traefik.yml'],
    files: ['traefik.yml', 'dynamic.yml'],
    asksGate: true
  },
  Envoy: {
    program: ofPython('envoy'),
    args: ['-c', 'envoy.yaml', '--use-dynamic-base-id', '--concurrency', '1'],
    files: ['envoy.yaml'],
    row: 'Envoy'
  },
  'oauth2-proxy': {
    program: isInstalled('go') ? join(TOOLS, 'go/bin/oauth2-proxy') : undefined,
    args: ['--config', 'oauth2-proxy.cfg'],
    files: ['oauth2-proxy.cfg'],
    row: 'oauth2-proxy'
  }
}

const issuer = await startIssuer(t)
const resource = await startResource(t, {
  ISSUER: issuer.url,
  AUDIENCE,
  JWKS_URL: `${issuer.url}/.well-known/jwks.json`
})
const gatePort = await freePort()
await resource.app.listen({ port: gatePort, host: '127.0.0.1' })

/** The application behind the gateway: answers with the headers that it was sent. */
async function startApplication(t: Test): Promise<number> {
  const server = createServer((request, answer) => answer.end(JSON.stringify(request.headers))).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** The page's configuration with the ports of this test in the place of the usual ones. */
async function writeFiles(folder: string, files: readonly string[], ports: Record<string, number>): Promise<void> {
  for (const file of files) {
    const text = snippet(file).replace(/\b(8000|3000|8080|9090)\b/g, (usual) => String(ports[usual]))
    await writeFile(join(folder, file), file === 'Caddyfile' ? `{\n\tadmin off\n}\n${text}` : text)
  }
}

for (const [name, { program, args, files, asksGate, row }] of Object.entries(GATEWAYS)) {
  const skip = program ? false : `${name} is not installed`
  t.test(`${name} lets only good tokens through, and tells the application whose they are`, { skip }, async (t) => {
    const [port, application] = [await freePort(), await startApplication(t)]
    const folder = await makeFolder(t)
    const issuerPort = Number(new URL(issuer.url).port)
    await writeFiles(folder, files, { 8000: port, 3000: application, 8080: gatePort, 9090: issuerPort })
    await startProgram(t, [String(program), ...args], port, { cwd: folder })

    const ask = async (headers: Record<string, string>): Promise<{ status: number; seen: IncomingHttpHeaders }> => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers, redirect: 'manual' })
      const text = await answer.text()
      return { status: answer.status, seen: answer.status === 200 ? JSON.parse(text) : {} }
    }
    // Traefik listens before it has read its routes.
    await until(async () => /^(401|403)$/.test(String((await ask({})).status)), `${name} asks for a token`)
    const pretended = { 'x-user-id': 'root', 'x-user-name': 'root', 'x-user-roles': 'admin', 'x-session-id': 'root' }
    const show = (token: string) =>
      ask({ authorization: `Bearer ${token}`, ...(row === 'oauth2-proxy' ? {} : pretended) })

    const { status, seen } = await show(issuer.access)
    t.equal(status, 200)
    if (asksGate) {
      t.match(seen, {
        'x-user-id': issuer.userId,
        'x-user-name': encodeURIComponent(USERNAME),
        'x-user-roles': 'user',
        'x-session-id': issuer.sessionId
      })
      t.equal(seen.authorization ?? '', '', 'the application does not get the token')
    }
    if (name === 'Envoy') t.equal(seen['x-user-id'], issuer.userId)

    t.match((await ask(pretended)).status, /^(401|403)$/, 'without a token')
    for (const [what, token] of Object.entries(issuer.attacks)) t.match((await show(token)).status, /^(401|403)$/, what)
    const passed: string[] = []
    for (const [what, token] of Object.entries(issuer.oddities)) {
      if ((await show(token)).status === 200) passed.push(what)
    }
    const said = uncheckedByPage()
      .get(row ?? 'nginx, Caddy, Traefik')
      ?.replace(/: .*/, '')
    t.equal(passed.join(', ') || 'nothing of these', said)
  })
}
