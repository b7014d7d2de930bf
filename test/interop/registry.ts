import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { makeFolder } from './tools.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Long before any manager's least age of a release. */
const PUBLISHED = '2020-01-01T00:00:00.000Z'

interface Release {
  readonly source: string
  readonly manifest: { readonly version: string; readonly dependencies?: Readonly<Record<string, string>> }
}

/** A registry of npm packages on this machine, which has Fastify and what it stands on, and nothing of ours. */
export interface Registry {
  readonly url: string
  /** The names that it was asked for since the start, each as often as it was asked. */
  readonly asked: readonly string[]
}

/** Starts a registry that is gone when the test ends. It reaches no network, and packs what stands in our node_modules. */
export async function startRegistry(t: Test): Promise<Registry> {
  const folder = await makeFolder(t)
  const found = new Map<string, Map<string, Release>>()
  for (const name of ['fastify', 'fastify-plugin']) await collect(name, ROOT, found)
  const asked: string[] = []
  const server = createServer(async ({ url: path = '' }, answer) => {
    const [, name = '', file] = /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+))?$/.exec(decodeURIComponent(path)) ?? []
    const releases = found.get(name)
    asked.push(name)
    if (!releases) answer.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
    else if (file) answer.end(await readFile(join(folder, file)))
    else answer.setHeader('content-type', 'application/json').end(await describe(name, releases, folder, url))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, asked }
}

/**
 * Notes a package as Node would find it from `folder`, and all that it depends on, with the very versions that stand here:
 * the workspace overrides some ranges. Returns its version.
 */
async function collect(name: string, folder: string, found: Map<string, Map<string, Release>>): Promise<string> {
  const source = join(folder, 'node_modules', name)
  if (!existsSync(source)) return collect(name, dirname(folder), found)
  const manifest: Release['manifest'] = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'))
  const { version, dependencies = {} } = manifest
  const versions = found.get(name) ?? new Map<string, Release>()
  if (versions.has(version)) return version
  const pinned: Record<string, string> = {}
  found.set(name, versions.set(version, { source, manifest: { ...manifest, dependencies: pinned } }))
  for (const needed of Object.keys(dependencies)) pinned[needed] = await collect(needed, source, found)
  return version
}

async function describe(name: string, releases: Map<string, Release>, folder: string, url: string): Promise<string> {
  const versions: Record<string, object> = {}
  const time: Record<string, string> = { created: PUBLISHED, modified: PUBLISHED }
  for (const [version, { source, manifest }] of releases) {
    const file = `${name.replace('/', '-')}-${version}.tgz`
    const packed = await pack(source, join(folder, file))
    const hash = (algorithm: string) => createHash(algorithm).update(packed)
    const dist = {
      tarball: `${url}/${name}/-/${file}`,
      shasum: hash('sha1').digest('hex'),
      integrity: `sha512-${hash('sha512').digest('base64')}`
    }
    versions[version] = { ...manifest, dist }
    time[version] = PUBLISHED
  }
  return JSON.stringify({ name, 'dist-tags': { latest: [...releases.keys()].sort().at(-1) }, versions, time })
}

/** Packs a folder as npm does, unless it is packed already, and returns the bytes. */
async function pack(source: string, tarball: string): Promise<Buffer> {
  if (!existsSync(tarball)) {
    const beside = `${tarball}.files`
    const filter = (path: string) => !path.slice(source.length).includes('node_modules')
    await cp(source, join(beside, 'package'), { recursive: true, filter })
    await promisify(execFile)('tar', ['-czf', tarball, '-C', beside, 'package'])
  }
  return readFile(tarball)
}
