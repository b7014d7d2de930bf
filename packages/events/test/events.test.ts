import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { count, emit, follow, type Told } from '@latchkey/events/emit'
import { EVENTS, type EventName } from '@latchkey/events/events'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** The text of every source of the packages and services, by its path; without the list itself. */
async function sources(): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const kind of ['packages', 'services']) {
    for (const name of await readdir(join(ROOT, kind))) {
      const folder = join(ROOT, kind, name, 'src')
      for (const file of await readdir(folder, { recursive: true })) {
        if (!file.endsWith('.ts') || (name === 'events' && kind === 'packages')) continue
        texts.set(join(kind, name, 'src', file), await readFile(join(folder, file), 'utf8'))
      }
    }
  }
  return texts
}

/** The name in each `emit(log, 'name', …)`, `note('name', …)` and `count('name', …)`. */
const EMITTED = /\b(?:emit\(\s*[^,()]+(?:\([^()]*\))?,|note\(|count\()\s*'(\w+)'/g

t.test('an event is one line: its level, its name, its fields', async (t) => {
  const lines: unknown[] = []
  const log = {
    info: (...line: unknown[]) => lines.push(['info', ...line]),
    warn: (...line: unknown[]) => lines.push(['warn', ...line]),
    error: (...line: unknown[]) => lines.push(['error', ...line])
  }
  emit(log, 'signup', { user: 'u' })
  emit(log, 'keys_gone', { kind: 'access' })
  emit(log, 'key_file', {}, 'others may read it')
  t.strictSame(lines, [
    ['info', { event: 'signup', user: 'u' }, 'signed up'],
    ['error', { event: 'keys_gone', kind: 'access' }, 'no key is left that may sign'],
    ['warn', { event: 'key_file' }, 'others may read it']
  ])
})

t.test('whoever follows gets every event, also of level none, of which there is no line', async (t) => {
  const lines: unknown[] = []
  const log = { info: (fields: object) => lines.push(fields), warn: () => {}, error: () => {} }
  const told: Told[] = []
  count('password_refused', {})
  const unfollow = follow((event) => told.push(event))
  emit(log, 'signup', { user: 'u' })
  count('password_worked', { wait: 1, work: 2 })
  unfollow()
  emit(log, 'signup', { user: 'v' })
  t.strictSame(told, [
    { name: 'signup', fields: { user: 'u' } },
    { name: 'password_worked', fields: { wait: 1, work: 2 } }
  ])
  t.strictSame(lines, [
    { event: 'signup', user: 'u' },
    { event: 'signup', user: 'v' }
  ])
})

t.test('every event of the list is emitted somewhere', async (t) => {
  const emitted = new Set(
    [...(await sources()).values()].flatMap((text) => [...text.matchAll(EMITTED)].map(([, name]) => name))
  )
  t.strictSame([...emitted].sort(), Object.keys(EVENTS).sort())
})

t.test('no line of the log has an event that is not in the list', async (t) => {
  for (const [file, text] of await sources()) t.notMatch(text, /\.(info|warn|error)\(\s*\{\s*event\b/, file)
})

t.test('no field of an event can hold a secret', async (t) => {
  for (const name of Object.keys(EVENTS) as EventName[]) {
    for (const field of Object.keys(EVENTS[name].fields.properties)) {
      // The hash of a record of the audit log is published on purpose.
      if (name.startsWith('audit_') && field === 'hash') continue
      t.notMatch(field, /password|token|hash|secret|body|query|custom_key|email|username/, `${name}.${field}`)
    }
  }
})

t.test('docs/events.md lists each event with its level and fields, and whether it is audited', async (t) => {
  const text = await readFile(join(ROOT, 'docs', 'events.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `(\w+)` \| (\w+) \| .+ \| (yes|–) \| (.+) \|$/gm)]
  t.strictSame(
    rows.map(([, name, level, audit, fields = '']) => [
      name,
      level,
      audit,
      [...fields.matchAll(/`(\w+)`/g)].map(([, field]) => field)
    ]),
    Object.entries(EVENTS).map(([name, { level, fields, ...more }]) => [
      name,
      level,
      'audit' in more ? 'yes' : '–',
      Object.keys(fields.properties)
    ])
  )
})
