import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { App } from './app-type.ts'

/** Where the files of Swagger UI are: a package of files alone, which nothing here runs. */
const FOLDER = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))

const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'index.css': 'text/css; charset=utf-8',
  'favicon-32x32.png': 'image/png',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui-standalone-preset.js': 'text/javascript; charset=utf-8'
}

// The page may only load its own scripts and call its own service. Inline styles are allowed, because Swagger UI uses
// them and they run no code.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** How long a browser may keep a file, in seconds; an update of the service shows after it. */
const MAX_AGE = 600

const PAGE = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Swagger UI</title>
    <link rel="stylesheet" href="/docs/static/swagger-ui.css">
    <link rel="stylesheet" href="/docs/static/index.css">
    <link rel="icon" type="image/png" sizes="32x32" href="/docs/static/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/static/swagger-ui-bundle.js"></script>
    <script src="/docs/static/swagger-ui-standalone-preset.js"></script>
    <script src="/docs/static/begin.js"></script>
  </body>
</html>
`

const BEGIN = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  plugins: [SwaggerUIBundle.plugins.DownloadUrl],
  layout: 'StandaloneLayout',
  validatorUrl: null
})
`

/**
 * Adds `GET /docs`, a page to read and try the endpoints of `/openapi.json`. A file is read when it is first asked for
 * and kept: 1,000 clients who do not take their answers hold one copy of it, and no file open.
 */
export function docsPage(app: App): void {
  const headers = { 'content-security-policy': POLICY }
  app.get('/docs', { schema: { hide: true } }, (_request, reply) =>
    reply.headers({ ...headers, 'content-type': 'text/html; charset=utf-8' }).send(PAGE)
  )
  const kept = { ...headers, 'cache-control': `public, max-age=${MAX_AGE}` }
  app.get('/docs/static/begin.js', { schema: { hide: true } }, (_request, reply) =>
    reply.headers({ ...kept, 'content-type': 'text/javascript; charset=utf-8' }).send(BEGIN)
  )
  for (const [name, type] of Object.entries(FILES)) {
    let content: Buffer | undefined
    app.get(`/docs/static/${name}`, { schema: { hide: true } }, (_request, reply) => {
      // At once, so that those who ask together do not each read a copy.
      content ??= readFileSync(path.join(FOLDER, name))
      return reply.headers({ ...kept, 'content-type': type }).send(content)
    })
  }
}
