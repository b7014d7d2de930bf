import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { startPair } from './pair.ts'

t.test('the commands of "Try it" do what the README says', async (t) => {
  const { auth, resource } = await startPair(t)
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, section = ''] =
    readme
      .split(/^## /m)
      .find((part) => part.startsWith('Try it'))
      ?.split('Try it') ?? []
  const blocks = [...section.matchAll(/```(sh|json)\n([\s\S]*?)```/g)]
  const commands = blocks.filter(([, kind]) => kind === 'sh').map(([, , text = '']) => `${text}\necho`)
  const shown = blocks.filter(([, kind]) => kind === 'json').map(([, , text = '']) => text.trim())
  t.ok(commands.length >= 6, 'the section has its commands')
  const script = commands
    .join('\n')
    .replaceAll('http://127.0.0.1:9090', auth.url)
    .replaceAll('http://127.0.0.1:8080', resource.url)
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script])
  const printed = stdout
    .split('\n')
    .map((line) => line.replaceAll(/"(id|user_id|created_at|last_used_at|request_id)":"[^"]+"/g, '"$1":"…"'))
    .map((line) => line.replaceAll(/curl\/[^"]+/g, 'curl/…'))
  for (const line of shown) t.ok(printed.includes(line), `prints ${line}`)
})
