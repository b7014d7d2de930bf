// Writes dashboard.json: node deploy/monitoring/dashboard/make.mjs
import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { DATASOURCE, layOut } from './panels.mjs'
import { attack } from './rows/attack.mjs'
import { chat } from './rows/chat.mjs'
import { database } from './rows/database.mjs'
import { gettingIn } from './rows/getting-in.mjs'
import { glance } from './rows/glance.mjs'
import { keys } from './rows/keys.mjs'
import { mail } from './rows/mail.mjs'
import { processes } from './rows/processes.mjs'
import { speed } from './rows/speed.mjs'

/** The dashboard, as Grafana reads it. */
const DASHBOARD = {
  uid: 'latchkey',
  title: 'Latchkey',
  description: 'Made by dashboard/make.mjs. What each alert means and what to do is in docs/operations.md.',
  tags: ['latchkey'],
  schemaVersion: 42,
  version: 1,
  editable: false,
  graphTooltip: 1,
  refresh: '30s',
  time: { from: 'now-3h', to: 'now' },
  timepicker: {},
  timezone: 'browser',
  annotations: {
    list: [
      {
        name: 'Alerts',
        datasource: DATASOURCE,
        enable: true,
        iconColor: 'red',
        expr: 'ALERTS{alertname=~"Latchkey.+", alertstate="firing"}',
        titleFormat: '{{alertname}}',
        textFormat: '{{instance}}'
      }
    ]
  },
  links: [],
  templating: {
    list: [
      {
        name: 'instance',
        label: 'Instance',
        type: 'query',
        datasource: DATASOURCE,
        query: { query: 'label_values(up{job=~"latchkey-.+"}, instance)', refId: 'instance' },
        definition: 'label_values(up{job=~"latchkey-.+"}, instance)',
        refresh: 2,
        sort: 1,
        multi: true,
        includeAll: true,
        allValue: '.*',
        current: { text: ['All'], value: ['$__all'] }
      }
    ]
  },
  panels: layOut([glance, gettingIn, speed, attack, keys, mail, database, chat, processes])
}

const { panels, ...rest } = DASHBOARD
const lines = panels.map((panel) => `    ${JSON.stringify(panel)}`).join(',\n')

/** The text of dashboard.json: a panel a line, so that a change is a line. */
export const TEXT = `${JSON.stringify({ ...rest, panels: [] }, null, 2).replace('"panels": []', () => `"panels": [\n${lines}\n  ]`)}\n`

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await writeFile(new URL('../dashboard.json', import.meta.url), TEXT)
}
