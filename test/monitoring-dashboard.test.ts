// The dashboard: what Grafana needs of it, and that it is what its parts make.
import { readFile } from 'node:fs/promises'
import { between } from '@latchkey/testing/between'
import t from 'tap'
import { TEXT } from '../deploy/monitoring/dashboard/make.mjs'
import { MONITORING, readAlerts } from './prometheus.ts'

interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: Place
  readonly datasource?: { readonly uid: string }
  readonly links?: readonly { readonly title: string; readonly url: string }[]
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly { readonly refId: string; readonly datasource: { readonly uid: string } }[]
}

const text = await readFile(`${MONITORING}dashboard.json`, 'utf8')
const dashboard = JSON.parse(text)
const all: readonly Panel[] = dashboard.panels
const panels = all.filter(({ type }) => type !== 'row')

/** Units by Grafana's ids. */
const UNITS = ['short', 's', 'd', 'bytes', 'opm', 'percentunit']

const twiceIn = (values: readonly unknown[]) => values.filter((value, index) => values.indexOf(value) !== index)

const overlap = (a: Place, b: Place) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h

t.test('dashboard.json is what its rows make', async (t) => {
  t.equal(text, TEXT, 'node deploy/monitoring/dashboard/make.mjs writes it')
})

t.test('Grafana can load it without a question', async (t) => {
  t.match(dashboard, { uid: /^[a-z]{1,40}$/, title: 'Latchkey', schemaVersion: 42, refresh: '30s', editable: false })
  t.notOk('id' in dashboard || '__inputs' in dashboard || '__requires' in dashboard)
  const source = await readFile(`${MONITORING}grafana/datasources/prometheus.yml`, 'utf8')
  const [, uid] = /^ {4}uid: ([\w-]+)/m.exec(source) ?? []
  const named = [...text.matchAll(/"uid": ?"([^"]+)"/g)].map(([, one]) => one).filter((one) => one !== dashboard.uid)
  t.strictSame([...new Set(named)], [uid], 'one data source, that of the provisioning')
  for (const { title, datasource, targets = [] } of panels) {
    t.ok(
      [datasource, ...targets.map((target) => target.datasource)].every((one) => one?.uid === uid),
      title
    )
  }
  const provider = await readFile(`${MONITORING}grafana/dashboards/latchkey.yml`, 'utf8')
  const [, folder] = /^ {6}path: (\S+)$/m.exec(provider) ?? []
  const compose = await readFile(new URL('../docker-compose.yml', import.meta.url), 'utf8')
  t.match(compose, `./deploy/monitoring/dashboard.json:${folder}/latchkey.json:ro`, 'where the provider looks')
})

t.test('no two panels are one, or lie on each other', async (t) => {
  t.strictSame(twiceIn(all.map(({ id }) => id)), [])
  t.strictSame(twiceIn(panels.map(({ title }) => title)), [])
  for (const [index, { title, gridPos }] of all.entries()) {
    between(t, gridPos.x + gridPos.w, { most: 24 }, title)
    const on = all.slice(index + 1).filter((other) => overlap(gridPos, other.gridPos))
    t.strictSame(
      on.map((other) => other.title),
      [],
      title
    )
  }
})

t.test('each panel says what it shows, in which unit', async (t) => {
  between(t, panels.length, { least: 50 })
  for (const { title, description = '', fieldConfig, targets = [] } of panels) {
    t.match(description, /^[\w"].*\.$/, title)
    t.ok(UNITS.includes(fieldConfig?.defaults.unit ?? ''), title)
    t.strictSame(twiceIn(targets.map(({ refId }) => refId)), [], title)
    between(t, targets.length, { least: 1 }, title)
  }
})

t.test('a panel that an alert watches leads to what to do', async (t) => {
  const runbooks = new Map((await readAlerts()).map(({ name, runbook }) => [`What to do: ${name}`, runbook]))
  const links = panels.flatMap((panel) => panel.links ?? [])
  for (const { title, url } of links) t.equal(url, runbooks.get(title), title)
  t.strictSame(
    [...runbooks.keys()].filter((title) => !links.some((link) => link.title === title)),
    ['What to do: LatchkeyNotScraped', 'What to do: LatchkeyRefreshAhead']
  )
})
