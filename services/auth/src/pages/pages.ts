import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { App } from '@latchkey/frame/app-type'

const FOLDER = fileURLToPath(new URL('../../pages', import.meta.url))

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8'
}

// The pages load only their own scripts and styles, and call only this service.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'"
].join('; ')

/**
 * `GET /verify-email` and `GET /reset-password`: the pages that links in mails open, unless `PUBLIC_URL` names other
 * pages. Their files are under `/pages/`.
 *
 * The pages are the same for everybody, and loading them changes nothing. The code is in the fragment of the link,
 * which no server sees, and the page sends it on a click. So programs that check links use up no code. `minLength` is
 * the least length of a password.
 */
export function mailPages(app: App, { minLength }: { minLength: number }): void {
  for (const name of readdirSync(FOLDER)) {
    const { ext, name: word } = path.parse(name)
    const type = TYPES[ext]
    if (!type) continue
    const text = readFileSync(path.join(FOLDER, name), 'utf8').replaceAll('{{minLength}}', String(minLength))
    // Every query is accepted, because mail programs add their own to links.
    app.get(ext === '.html' ? `/${word}` : `/pages/${name}`, { schema: { hide: true } }, (_request, reply) =>
      reply.headers({ 'content-type': type, 'content-security-policy': POLICY }).send(text)
    )
  }
}
