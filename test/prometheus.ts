import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { freePort } from '../scripts/free-port.mjs'
import { findProgram } from './interop/tools.ts'

const run = promisify(execFile)

/** The folder of the rules, the dashboard and the configuration of Prometheus. */
export const MONITORING = fileURLToPath(new URL('../deploy/monitoring/', import.meta.url))

const [PROMETHEUS, PROMTOOL] = [findProgram('prometheus'), findProgram('promtool')]

/** Why tests with Prometheus are skipped here, or false. */
export const SKIPS_PROMETHEUS = (!PROMETHEUS || !PROMTOOL) && !process.env['CI'] && 'no Prometheus here'

/** Runs promtool in the folder of the rules. Rejects, with what it said, if it finds a fault. */
export async function promtool(...args: string[]): Promise<string> {
  const { stdout } = await run(String(PROMTOOL), args, { cwd: MONITORING })
  return stdout
}

/** Returns what promtool has to say against a page of metrics, a line for each name. Rejects if the page cannot be read. */
export async function lintMetrics(page: string): Promise<string[]> {
  const checking = run(String(PROMTOOL), ['check', 'metrics'])
  checking.child.stdin?.end(page)
  const { stderr } = await checking.catch((error: { code: number; stderr: string }) => {
    if (error.code === LINTED) return error
    throw error
  })
  return stderr.split('\n').filter(Boolean)
}

/** The exit code of promtool if a page can be read, but is not as it should be. */
const LINTED = 3

/** A time series of an answer, with its last value. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

/** A rule of alerts.yml, as Prometheus sees it. */
export interface Rule {
  readonly name: string
  readonly state: string
  readonly health: string
  readonly lastError?: string
}

/** A Prometheus that runs. */
export interface RunningPrometheus {
  /** Asks for a value now. Rejects, with what Prometheus says, if the expression is wrong. */
  query(expr: string): Promise<readonly Series[]>
  rules(): Promise<readonly Rule[]>
}

/**
 * Starts a Prometheus with the configuration and the rules of the compose stack, but for what it scrapes: `targets` has
 * addresses for those of prometheus.yml. It looks each second, and is gone when the test ends.
 */
export async function startPrometheus(t: Test, targets: Record<string, string>): Promise<RunningPrometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-prometheus-'))
  let config = (await readFile(`${MONITORING}prometheus.yml`, 'utf8')).replaceAll('15s', '1s')
  for (const [name, address] of Object.entries(targets)) config = config.replace(name, address)
  await writeFile(join(folder, 'prometheus.yml'), config.replace('alerts.yml', `${MONITORING}alerts.yml`))
  const address = `127.0.0.1:${await freePort()}`
  const settings = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`]
  const child = spawn(String(PROMETHEUS), [...settings, `--web.listen-address=${address}`], { stdio: 'ignore' })
  t.teardown(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    await rm(folder, { recursive: true, force: true })
  })
  const isReady = () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false
    )
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error('Prometheus ended; promtool check config says why')
    await sleep(50)
  }
  const ask = async (path: string) => {
    const answer = await fetch(`http://${address}/api/v1/${path}`)
    const { status, error, data } = (await answer.json()) as { status: string; error?: string; data: never }
    if (status !== 'success') throw new Error(`${error}: ${path}`)
    return data
  }
  return {
    query: async (expr) => {
      const { result }: { result: Series[] } = await ask(`query?query=${encodeURIComponent(expr)}`)
      return result
    },
    rules: async () => {
      const { groups }: { groups: { rules: Rule[] }[] } = await ask('rules')
      return groups.flatMap(({ rules }) => rules)
    }
  }
}

/** An alert as alerts.yml has it. */
export interface Alert {
  readonly name: string
  readonly severity: string
  readonly summary: string
  readonly description: string
  readonly runbook: string
}

/** The alerts of alerts.yml, in its order. */
export async function readAlerts(): Promise<Alert[]> {
  const text = await readFile(`${MONITORING}alerts.yml`, 'utf8')
  return text
    .split(/^ {6}- alert: /m)
    .slice(1)
    .map((block) => {
      const textOf = (key: string) => new RegExp(`^ {10}${key}: (.+)$`, 'm').exec(block)?.[1] ?? ''
      return {
        name: block.slice(0, block.indexOf('\n')),
        severity: /^ {8}labels: \{ severity: (\w+) \}$/m.exec(block)?.[1] ?? '',
        summary: textOf('summary'),
        description: textOf('description'),
        runbook: textOf('runbook_url')
      }
    })
}
