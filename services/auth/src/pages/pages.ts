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

// The pages load their own two kinds of files, and call this service alone.
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
 * `GET /verify-email` and `GET /reset-password`: the pages that links in mails lead to, unless `PUBLIC_URL` names a front
 * end of the team's own. Their files are under `/pages/`.
 *
 * They are the same for everybody and change nothing: the code is in the fragment, which no server sees, and the page
 * sends it on a click. Programs that look at the links of mails use up no code. `minLength` is the least length of a
 * password.
 */
export function mailPages(app: App, { minLength }: { minLength: number }): void {
  for (const name of readdirSync(FOLDER)) {
    const { ext, name: word } = path.parse(name)
    const type = TYPES[ext]
    if (!type) continue
    const text = readFileSync(path.join(FOLDER, name), 'utf8').replaceAll('{{minLength}}', String(minLength))
    // No query is refused: mail programs add their own to links.
    app.get(ext === '.html' ? `/${word}` : `/pages/${name}`, { schema: { hide: true } }, (_request, reply) =>
      reply.headers({ 'content-type': type, 'content-security-policy': POLICY }).send(text)
    )
  }
}
