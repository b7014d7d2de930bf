import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { snippet } from './snippets.ts'

const run = promisify(execFile)

/** Where install.sh puts what the snippets need. */
export const TOOLS =
  process.env.INTEROP_TOOLS || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'latchkey-interop')

/** In milliseconds: a Java service starts in two seconds, on a busy machine in twenty. */
const LONGEST_WAIT = 120_000

/** Tells whether install.sh has installed the tools of this name. */
export function isInstalled(name: string): boolean {
  return existsSync(join(TOOLS, name, '.installed'))
}

/** The path of a program on the PATH, or in one of Debian's folders for servers; nothing where there is none. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** A folder that is gone when the test ends. */
export async function makeFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-interop-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

type Command = readonly [program: string, ...args: string[]]

/** For each language: puts a snippet into the folder, builds it, and says how it is run. */
const BUILDERS: Record<string, (folder: string, file: string) => Promise<Command>> = {
  node: async (folder, file) => {
    await writeFile(join(folder, file), snippet(file))
    await symlink(join(TOOLS, 'node/node_modules'), join(folder, 'node_modules'))
    return [process.execPath, join(folder, file)]
  },
  python: async (folder, file) => {
    await writeFile(join(folder, file), snippet(file))
    return [join(TOOLS, 'python/bin/python'), join(folder, file)]
  },
  go: async (folder, file) => {
    await writeFile(join(folder, 'main.go'), snippet(file))
    for (const name of ['go.mod', 'go.sum']) await copyFile(join(TOOLS, 'go', name), join(folder, name))
    await run('go', ['build', '-o', 'app', '.'], { cwd: folder, env: { ...process.env, GOPROXY: 'off' } })
    return [join(folder, 'app')]
  },
  java: async (folder, file) => {
    const path = join(folder, file)
    const libraries = join(TOOLS, 'java/lib/*')
    const code = snippet(file)
    const [, inPackage = ''] = /^package (.+);$/m.exec(code) ?? []
    await writeFile(path, code)
    await run('javac', ['-cp', libraries, '-d', folder, path])
    const name = [inPackage, file.replace('.java', '')].filter(Boolean).join('.')
    return ['java', '-cp', `${folder}:${libraries}`, name]
  },
  rust: async (folder, file) => {
    const target = join(TOOLS, 'rust/target')
    await mkdir(join(folder, 'src'))
    await writeFile(join(folder, 'src', file), snippet(file))
    for (const name of ['Cargo.toml', 'Cargo.lock']) await copyFile(join(TOOLS, 'rust', name), join(folder, name))
    const env = { ...process.env, CARGO_TARGET_DIR: target }
    await run('cargo', ['build', '--quiet', '--offline', '--locked'], { cwd: folder, env })
    return [join(target, 'debug/interop')]
  }
}

/** Builds a snippet and starts it with these settings; returns when it listens on their `PORT`. It ends with the test. */
export async function startSnippet(t: Test, tool: string, file: string, env: Record<string, string>): Promise<void> {
  const folder = await makeFolder(t)
  const command = await BUILDERS[tool]?.(folder, file)
  if (!command) throw new Error(`nobody knows how to build for ${tool}`)
  await startProgram(t, command, Number(env['PORT']), { cwd: folder, env: { ...process.env, ...env } })
}

/** Starts a program that listens on a port of 127.0.0.1, and returns when it does. It ends with the test. */
export async function startProgram(
  t: Test,
  [program, ...args]: Command,
  port: number,
  options: { cwd: string; env?: NodeJS.ProcessEnv }
): Promise<void> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
  t.teardown(() => end(child))
  const isGone = () => child.exitCode !== null || child.signalCode !== null
  await until(async () => isGone() || (await listens(port)), `${program} listens`)
  if (isGone()) throw new Error(`${program} has ended:\n${said}`)
}

/** Waits until something holds. Throws after two minutes, with what was waited for. */
export async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + LONGEST_WAIT
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`too slow: waited ${LONGEST_WAIT / 1000} s until ${what}`)
    await sleep(100)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill()
  await gone
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).on('error', () => resolve(false))
  })
}
