import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { App } from '@latchkey/frame/app-type'

const FOLDER = fileURLToPath(new URL('../../page', import.meta.url))

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8'
}

/**
 * `GET /`: the page of the chat; its scripts and styles are below `/page/`. It is the same for everybody, and says nothing
 * of anybody.
 *
 * The files are read once, at the start. A browser asks each time whether it has the present ones (`ETag`, RFC 9110
 * §8.8.3), so that after an update no old script meets a new one. `authUrl` is where the page finds the auth service.
 */
export function page(app: App, { authUrl }: { authUrl: string }): void {
  const policy = policyFor(authUrl)
  for (const name of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[path.extname(name)]
    if (!type) continue
    const text = readFileSync(path.join(FOLDER, name), 'utf8').replaceAll('{{authUrl}}', () => escaped(authUrl))
    const etag = `"${createHash('sha256').update(text).digest('base64url')}"`
    const headers = { 'content-type': type, 'content-security-policy': policy, 'cache-control': 'no-cache', etag }
    const url = name === 'index.html' ? '/' : `/page/${name.split(path.sep).join('/')}`
    // Any query is accepted: links get their own.
    app.get(url, { schema: { hide: true } }, (request, reply) => {
      reply.headers(headers)
      return isKnown(request.headers['if-none-match'], etag) ? reply.code(304).send() : reply.send(text)
    })
  }
}

// The page loads its own scripts and styles, and calls this service and the auth service. A socket of this service is
// 'self' too (CSP 3 §6.7.2.8).
function policyFor(authUrl: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self' ${new URL(authUrl).origin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'"
  ].join('; ')
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}

// A proxy that compresses makes the tag weak (RFC 9110 §13.1.2 compares weakly).
function isKnown(given: string | undefined, etag: string): boolean {
  return given?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) ?? false
}
