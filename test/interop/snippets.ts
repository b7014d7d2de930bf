import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PAGE = fileURLToPath(new URL('../../docs/verify-elsewhere.md', import.meta.url))
const BLOCK = /^```\w+ (\S+)\n(.*?)^```$/gms

/** The named code blocks of docs/verify-elsewhere.md, by their file name. */
export const snippets: ReadonlyMap<string, string> = new Map(
  [...readFileSync(PAGE, 'utf8').matchAll(BLOCK)].map(([, name = '', code = '']) => [name, code])
)

/** The code block of this name. Throws where the page has none. */
export function snippet(name: string): string {
  const code = snippets.get(name)
  if (code === undefined) throw new Error(`docs/verify-elsewhere.md has no code block ${name}`)
  return code
}

/** A line of the page's last table: what a library leaves unchecked, as the page words it. */
export function uncheckedByPage(): ReadonlyMap<string, string> {
  const [, table = ''] = readFileSync(PAGE, 'utf8').split('## What each leaves unchecked')
  return new Map([...table.matchAll(/^\| ([^|]+?) \| ([^|]+?) \|$/gm)].map(([, name = '', what = '']) => [name, what]))
}
