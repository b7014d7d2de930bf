import { createRequire } from 'node:module'
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import Fastify, { type RouteOptions } from 'fastify'
import type { App } from './app-type.ts'
import { withComponents } from './components.ts'
import { docsPage } from './docs-page.ts'
import { needsNoBody } from './schemas.ts'
import type { SecurityScheme } from './security-schemes.ts'

// The generator marks every body as required, and names nothing.
const transformObject: NonNullable<FastifyDynamicSwaggerOptions['transformObject']> = (document) => {
  const made = 'openapiObject' in document ? document.openapiObject : {}
  for (const { put, post, delete: remove } of Object.values(made.paths as Record<string, Operations>)) {
    for (const body of [put, post, remove].flatMap((operation) => operation?.requestBody ?? [])) {
      if (Object.values(body.content).every(({ schema }) => needsNoBody(schema)))
        Object.assign(body, { required: false })
    }
  }
  return withComponents(made)
}

type OpenApi = NonNullable<FastifyDynamicSwaggerOptions['openapi']>
type Operation = { requestBody?: { content: Record<string, { schema?: object }> } }
type Operations = { put?: Operation; post?: Operation; delete?: Operation }

// Of an import that failed once, Node keeps the failure.
const load = createRequire(import.meta.url)

/**
 * Makes the document, as JSON, when it is first asked for: its generator would take a twentieth of the start of auth. The
 * generator only sees an app that it has seen grow, so it gets one of its own with these routes.
 */
async function describe(routes: readonly RouteOptions[], openapi: OpenApi): Promise<Buffer> {
  const { default: swagger }: typeof import('@fastify/swagger') = load('@fastify/swagger')
  const app = Fastify({ exposeHeadRoutes: false })
  app.setValidatorCompiler(() => () => true).setSerializerCompiler(() => JSON.stringify)
  await app.register(swagger, { transformObject, openapi })
  for (const { method, url, schema } of routes) {
    if (schema && !schema.hide && method !== 'HEAD') app.route({ method, url, schema, handler: () => undefined })
  }
  await app.ready()
  return Buffer.from(JSON.stringify(app.swagger()))
}

/**
 * Adds `GET /openapi.json` (OpenAPI 3.1, made from the route schemas), `GET /docs`, a page to try it, and `GET /`,
 * which redirects there, unless the service `hasPage` of its own at the root. Register it before the routes. `securitySchemes`
 * are the credentials that routes take, by the names that their `security` has.
 */
export function openapi(
  app: App,
  info: { title: string; description: string; version: string },
  securitySchemes: Readonly<Record<string, SecurityScheme>> = {},
  { hasPage = false }: { hasPage?: boolean } = {}
): void {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => void routes.push(route))
  let document: Promise<Buffer> | undefined
  docsPage(app)
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    // One copy, whoever does not take their answers.
    document ??= describe(routes, {
      openapi: '3.1.0',
      info,
      servers: [{ url: '/' }],
      components: { securitySchemes }
    }).catch((error) => {
      // It may have been for want of memory or files.
      document = undefined
      throw error
    })
    return reply.type('application/json; charset=utf-8').send(await document)
  })
  if (hasPage) return
  // For people who open the address that the start prints.
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs'))
}
