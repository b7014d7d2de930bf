import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { between } from '@latchkey/testing/between'
import t from 'tap'
import { firstSignup } from '../scripts/first-signup.mjs'
import { findProgram } from './interop/tools.ts'
import { startPair } from './pair.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

t.test('the commands of "Try it" do what the README says, again and again on one start', async (t) => {
  const { auth, resource } = await startPair(t)
  const { commands, shown } = blocksOf('Try it')
  between(t, commands.length, { least: 6 }, 'the section has its commands')
  t.equal(commands[0], firstSignup('http://127.0.0.1:9090'), 'npm start prints the first of them')
  const script = commands
    .map((text) => `${text}\necho`)
    .join('\n')
    .replaceAll('http://127.0.0.1:9090', auth.url)
    .replaceAll('http://127.0.0.1:8080', resource.url)
  for (const shell of ['bash', 'bash', 'dash', 'zsh']) {
    if (!findProgram(shell)) continue
    const { stdout } = await promisify(execFile)(shell, ['-eu', '-c', script])
    const printed = stdout
      .split('\n')
      .map((line) => line.replaceAll(/"(id|user_id|created_at|last_used_at|request_id)":"[^"]+"/g, '"$1":"…"'))
      .map((line) => line.replaceAll(/curl\/[^"]+/g, 'curl/…').replace(/"ada-[^@]+@/, '"ada-…@'))
    t.strictSame(
      shown.filter((line) => !printed.includes(line)),
      [],
      `${shell} prints what is shown`
    )
  }
})

t.test('what npm start proposes can be pasted, also where it listens on IPv6', async (t) => {
  const signup = firstSignup('http://[::1]:9090')
  for (const shell of ['bash', 'dash', 'zsh']) {
    if (!findProgram(shell)) continue
    const { stdout } = await promisify(execFile)(shell, ['-eu', '-c', `curl() { echo "$2"; }\n${signup}`])
    t.equal(stdout, 'http://[::1]:9090/signup\n', shell)
  }
})

/** The commands of a section, and what it says that they print. */
function blocksOf(title: string): { commands: string[]; shown: string[] } {
  const section = readme.split(/^## /m).find((part) => part.startsWith(title)) ?? ''
  const blocks = [...section.matchAll(/```(sh|json)\n([\s\S]*?)```/g)]
  const ofKind = (wanted: string) => blocks.filter(([, kind]) => kind === wanted).map(([, , text = '']) => text.trim())
  return { commands: ofKind('sh'), shown: ofKind('json') }
}
