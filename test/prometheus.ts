import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
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
