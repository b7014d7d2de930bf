import { readFileSync } from 'node:fs'

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The issuer that the README's snippets name. */
export const README_ISSUER = 'https://auth.example.com'

/** The code blocks of the verifier's README: the language, the file name that stands behind it, and the code. */
export const blocks = [...README.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(
  ([, language = '', name = '', code = '']) => ({ language, name, code })
)

/** The code block of this name. Throws where the README has none. */
export function readmeSnippet(name: string): string {
  const block = blocks.find((block) => block.name === name)
  if (!block) throw new Error(`the README of the verifier has no code block ${name}`)
  return block.code
}

/** A snippet as a test runs it: it fetches its keys from this port of 127.0.0.1, and listens on any. */
export function played(code: string, issuerPort: number): string {
  return code
    .replaceAll(`${README_ISSUER}/.well-known`, `http://127.0.0.1:${issuerPort}/.well-known`)
    .replace('8080', '0')
}

/** The snippet of a server, and a line that says where it listens. */
export function listening(code: string): string {
  const server = code.includes('createServer') ? 'server' : 'app.server'
  return `${code.replace('createServer(async', 'const server = createServer(async')}
if (!${server}.listening) await new Promise((resolve) => ${server}.once('listening', resolve))
console.log('listening on', ${server}.address().port)`
}
