// The alert rules: their form, and what promtool says of them.
import { readFile } from 'node:fs/promises'
import { between } from '@latchkey/testing/between'
import t from 'tap'
import { MONITORING, promtool, readAlerts, SKIPS_PROMETHEUS } from './prometheus.ts'

const alerts = await readAlerts()

t.test('each alert says how urgent it is, what happens, what to do, and where more is written', async (t) => {
  const manifest = await readFile(new URL('../packages/verifier/package.json', import.meta.url), 'utf8')
  const repository = String(JSON.parse(manifest).repository.url).replace(/^git\+|\.git$/g, '')
  between(t, alerts.length, { least: 30 })
  for (const { name, severity, summary, description, runbook } of alerts) {
    t.match(name, /^Latchkey([A-Z][a-z]+)+$/)
    t.match(severity, /^(page|ticket)$/, name)
    t.match(summary, /\.'?$/, name)
    t.match(description, /^'?[A-Z].*\.'?$/, name)
    t.equal(runbook, `${repository}/blob/main/docs/operations.md#${name.toLowerCase()}`)
  }
  const names = alerts.map(({ name }) => name)
  t.strictSame([...new Set(names)], names, 'no two have one name')
})

t.test('no text of an alert has the value of its expression, which is extrapolated', async (t) => {
  for (const { name, summary, description } of alerts) t.notMatch(summary + description, /\$value/, name)
})

t.test('each alert has a test in which it fires and one in which it does not', async (t) => {
  const tests = await readFile(`${MONITORING}alerts.test.yml`, 'utf8')
  const checks = tests.split(/^ +- (?=\{ expr|expr)/m)
  for (const { name } of alerts) {
    const own = checks.filter((check) => check.includes(`alertname="${name}"`))
    t.ok(
      own.some((check) => check.includes('exp_samples:')),
      `${name} fires`
    )
    t.ok(
      own.some((check) => !check.includes('exp_samples:')),
      `${name} is silent`
    )
  }
})

t.test('promtool finds no fault in rules and configuration', { skip: SKIPS_PROMETHEUS }, async (t) => {
  t.match(await promtool('check', 'rules', 'alerts.yml'), `SUCCESS: ${alerts.length} rules found`)
  t.match(await promtool('check', 'config', 'prometheus.yml'), 'SUCCESS: 1 rule files found')
})

t.test('each alert fires where it should, and only there', { skip: SKIPS_PROMETHEUS }, async (t) => {
  t.match(await promtool('test', 'rules', 'alerts.test.yml'), 'SUCCESS')
})
